// A test that recurses until the stack is full: the process dies by a signal.
fn sum(n: u64) -> u64 {
    if n == 0 { 0 } else { n + sum(n - 1) }
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn a_small() {
        assert_eq!(sum(10), 55);
    }

    #[test]
    fn b_large() {
        assert_eq!(sum(100_000_000), 5_000_000_050_000_000);
    }
}
