// Slices in the middle of a character: the test fails at run time.
fn truncate(s: &str, n: usize) -> &str {
    if s.len() <= n {
        s
    } else {
        &s[..n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii() {
        assert_eq!(truncate("hello", 2), "he");
    }

    #[test]
    fn accents() {
        assert_eq!(truncate("héllo", 2), "h");
    }
}
