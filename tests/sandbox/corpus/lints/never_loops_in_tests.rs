// A loop that never loops, in a function of the tests.
fn count(n: u32) -> u32 {
    n + 1
}

#[cfg(test)]
mod tests {
    use super::count;

    fn first(xs: &[u32]) -> u32 {
        loop {
            return xs[0];
        }
    }

    #[test]
    fn counts() {
        assert_eq!(count(first(&[1])), 2);
    }
}
