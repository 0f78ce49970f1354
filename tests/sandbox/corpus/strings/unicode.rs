// Characters of many bytes, in literals, in test names and in an identifier.
fn initials(name: &str) -> String {
    name.split(' ').filter_map(|w| w.chars().next()).collect()
}

fn größe(s: &str) -> (usize, usize) {
    (s.len(), s.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn żółć() {
        assert_eq!(initials("Émile Zola Ørsted"), "ÉZØ");
    }

    #[test]
    fn emoji() {
        assert_eq!(größe("🦀é"), (6, 2));
        assert_eq!("🦀".repeat(2), "\u{1F980}\u{1f980}");
    }
}
