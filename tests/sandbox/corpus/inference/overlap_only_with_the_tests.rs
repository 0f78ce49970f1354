// A second implementation of a trait in the tests, which overlaps with the first.
struct Id(u32);

impl From<u32> for Id {
    fn from(n: u32) -> Id {
        Id(n)
    }
}

fn id(n: u32) -> Id {
    n.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl From<u32> for Id {
        fn from(n: u32) -> Id {
            Id(n + 1)
        }
    }

    #[test]
    fn one() {
        assert_eq!(id(1).0, 1);
    }
}
