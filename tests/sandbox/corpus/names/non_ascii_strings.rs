// Strings, characters and bytes beyond ASCII.
fn initials(name: &str) -> String {
    name.split(' ').filter_map(|w| w.chars().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn all() {
        assert_eq!(initials("Ærø Øst 北京"), "ÆØ北");
        assert_eq!("🦀".len(), 4);
        assert_eq!('\u{1F980}', '🦀');
        assert_eq!("ü".chars().count() + "u\u{308}".chars().count(), 3);
        assert_eq!("ß".to_uppercase(), "SS");
    }

    #[test]
    #[should_panic(expected = "not a char boundary")]
    fn cuts() {
        let _ = &"🦀"[1..];
    }
}
