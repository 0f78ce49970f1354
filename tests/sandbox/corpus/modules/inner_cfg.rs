// A module of tests that says itself that it is for tests, and a constant for them beside it.
fn initials(names: &[&str]) -> String {
    names.iter().filter_map(|n| n.chars().next()).collect()
}

#[cfg(test)]
const NAMES: [&str; 2] = ["Ada", "Grace"];

mod tests {
    #![cfg(test)]
    use super::*;

    #[test]
    fn two() {
        assert_eq!(initials(&NAMES), "AG");
    }
}
