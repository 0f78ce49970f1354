// Forgets punctuation: one of three tests fails.
fn is_palindrome(s: &str) -> bool {
    let lower = s.to_lowercase();
    lower.chars().eq(lower.chars().rev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple() {
        assert!(is_palindrome("Level"));
    }

    #[test]
    fn not_one() {
        assert!(!is_palindrome("rust"));
    }

    #[test]
    fn with_punctuation() {
        assert!(is_palindrome("A man, a plan, a canal: Panama"), "punctuation does not count");
    }
}
