// The same assertion, refused for a function of the tests that nobody calls.
struct Small<T>(T);

impl<T> Small<T> {
    fn new(x: T) -> Self {
        const { assert!(std::mem::size_of::<T>() <= 8, "too large") }
        Small(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() {
        let _ = Small::new([0u64; 2]);
    }

    #[test]
    fn three() {
        assert_eq!(Small::new(3u64).0, 3);
    }
}
