// Raw strings with quotes and hashes, byte strings, C strings, and lines that continue.
const JSON: &str = r#"{"a": "b\n", "c": 1}"#;
const HASHES: &str = r##"say "# twice"##;
const LONG: &str = "one \
                    two \
                    three";
const LINES: &str = "first
  second // no comment
  /* neither";

fn quotes(s: &str) -> usize {
    s.matches('"').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        assert_eq!(quotes(JSON), 6);
        assert_eq!(quotes(HASHES), 1);
        assert_eq!(LONG, "one two three");
        assert_eq!(LINES.lines().count(), 3);
        assert_eq!(b"\x41\n", &[65, 10]);
        assert_eq!(c"hi".to_bytes(), b"hi");
        assert_eq!('\'', '\u{27}');
    }
}
