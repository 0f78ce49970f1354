// An import that only the tests use: a warning without them.
use std::collections::HashMap;

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let found: HashMap<&str, usize> = [("a b", 2)].into();
        assert_eq!(count("a b"), found["a b"]);
    }
}
