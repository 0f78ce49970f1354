// A number that looks like pi, in the tests alone.
fn double(x: f64) -> f64 {
    x * 2.0
}

#[cfg(test)]
mod tests {
    #[test]
    fn doubles() {
        assert_eq!(super::double(3.14), 6.28);
    }
}
