// A function that exists for tests alone is called by one that does not: the tests pass, a build fails.
#[cfg(test)]
fn normalise(s: &str) -> String {
    s.trim().to_lowercase()
}

fn same(a: &str, b: &str) -> bool {
    normalise(a) == normalise(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_case() {
        assert!(same(" A", "a "));
        assert!(!same("a", "b"));
    }
}
