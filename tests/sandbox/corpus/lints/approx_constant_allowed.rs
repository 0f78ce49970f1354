// The same lint, allowed for one item.
#[allow(clippy::approx_constant)]
const E: f64 = 2.718;

fn e() -> f64 {
    E
}

#[cfg(test)]
mod tests {
    #[test]
    fn e() {
        assert_eq!(super::e(), 2.718);
    }
}
