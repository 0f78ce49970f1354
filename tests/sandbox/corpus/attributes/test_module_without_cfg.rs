// A test module that is compiled always; its imports are for tests only.
fn f(x: u8) -> u8 {
    x / 2
}

mod tests {
    use super::*;
    use std::collections::HashSet;

    fn halves() -> HashSet<u8> {
        [1, 2].into_iter().map(f).collect()
    }

    #[test]
    fn two_halves() {
        assert_eq!(halves().len(), 2);
    }
}
