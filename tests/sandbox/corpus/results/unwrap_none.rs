// Unwraps nothing, in two ways, in two tests of three.
use std::collections::HashMap;

fn capital<'a>(capitals: &HashMap<&str, &'a str>, country: &str) -> &'a str {
    capitals.get(country).unwrap()
}

fn parse(s: &str) -> i32 {
    s.parse().expect("a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known() {
        assert_eq!(capital(&HashMap::from([("France", "Paris")]), "France"), "Paris");
    }

    #[test]
    fn unknown() {
        assert_eq!(capital(&HashMap::new(), "Atlantis"), "");
    }

    #[test]
    fn no_number() {
        assert_eq!(parse("twelve"), 12);
    }
}
