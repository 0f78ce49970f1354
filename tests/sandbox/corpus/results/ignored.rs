// Ignored tests, with and without a reason; one of them would fail.
fn slow_square(x: u64) -> u64 {
    (0..x).map(|_| x).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three() {
        assert_eq!(slow_square(3), 9);
    }

    #[test]
    #[ignore]
    fn a_million() {
        assert_eq!(slow_square(1_000_000), 1_000_000_000_000);
    }

    #[test]
    #[ignore = "not written yet"]
    fn wrong() {
        assert_eq!(slow_square(2), 5);
    }
}
