// A module of tests without the attribute: its imports are unused in a build.
fn square(x: i32) -> i32 {
    x * x
}

mod tests {
    use super::*;
    use std::collections::HashSet;

    fn expected() -> HashSet<i32> {
        HashSet::from([0, 1, 4])
    }

    #[test]
    fn squares() {
        let squares: HashSet<i32> = (-2..=2).map(square).collect();
        assert_eq!(squares, expected());
    }
}
