// A test module and a test whose names sort behind nearly all others.
fn z() -> u8 {
    1
}

#[cfg(test)]
mod zzzzzzzz {
    use super::*;

    #[test]
    fn zzzzzzzzzzzzzzzz() {
        assert_eq!(z(), 1);
    }

    #[test]
    fn zzzzzzzz_fails() {
        assert_eq!(z(), 2);
    }
}
