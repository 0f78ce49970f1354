// Groups anagrams by their sorted letters.
use std::collections::BTreeMap;

fn key(word: &str) -> String {
    let mut letters: Vec<char> = word.to_lowercase().chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

/// Groups words that are anagrams of each other; groups of one are left out.
fn anagrams<'a>(words: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for word in words {
        groups.entry(key(word)).or_default().push(word);
    }
    groups.into_values().filter(|g| g.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        assert_eq!(anagrams(&["tea", "tan", "Eat", "x", "nat"]), [vec!["tea", "Eat"], vec!["tan", "nat"]]);
    }
}
