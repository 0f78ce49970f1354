// Reverses the words of a sentence.
/// Reverses the order of the words; runs of spaces become one.
fn reverse_words(s: &str) -> String {
    s.split_whitespace().rev().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_words() {
        assert_eq!(reverse_words("the quick  fox"), "fox quick the");
    }

    #[test]
    fn blank() {
        assert_eq!(reverse_words("   "), "");
    }
}
