// The text ends with a doc comment that documents nothing of its own.
fn one() -> u8 {
    1
}

#[test]
fn is_one() {
    assert_eq!(one(), 1);
}

/// Returns two.
