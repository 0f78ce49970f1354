// An assertion on a type's size in a constant of a generic struct, refused for a type of the tests.
struct Small<T>(T);

impl<T> Small<T> {
    fn new(x: T) -> Self {
        const { assert!(std::mem::size_of::<T>() <= 8, "too large") }
        Small(x)
    }
}

fn small() -> u64 {
    Small::new(3u64).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(small(), 3);
        let _ = Small::new([0u64; 2]);
    }
}
