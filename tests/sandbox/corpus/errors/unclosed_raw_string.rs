// A raw string whose hashes do not match.
fn quoted() -> &'static str {
    r##"say "hi"#
}

#[test]
fn says() {
    assert!(quoted().contains('"'));
}
