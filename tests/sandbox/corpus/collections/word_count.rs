// Counts words in a BTreeMap, so that the order is fixed.
use std::collections::BTreeMap;

/// Counts how often each word occurs, ignoring case and punctuation.
fn word_count(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let counts = word_count("The cat, the dog; THE end.");
        assert_eq!(counts["the"], 3);
        assert_eq!(counts.keys().collect::<Vec<_>>(), ["cat", "dog", "end", "the"]);
    }

    #[test]
    fn nothing() {
        assert!(word_count("  ...  ").is_empty());
    }
}
