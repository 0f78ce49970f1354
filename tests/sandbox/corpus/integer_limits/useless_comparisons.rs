// Comparisons that the type decides.
fn check(x: u8, n: usize) -> bool {
    x <= 255 && n >= 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn always() {
        assert!(super::check(3, 4));
    }
}
