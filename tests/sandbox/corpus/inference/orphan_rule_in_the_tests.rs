// The tests break the orphan rule, and the rest does not.
struct Wrapper(Vec<u8>);

impl std::fmt::Display for Wrapper {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl std::ops::Add for Vec<u8> {
        type Output = Vec<u8>;

        fn add(self, other: Self) -> Self {
            [self, other].concat()
        }
    }

    #[test]
    fn shows() {
        assert_eq!(Wrapper(vec![1] + vec![2]).to_string(), "2 bytes");
    }
}
