// The text ends with the attribute of a test whose function was cut off.
fn one() -> u8 {
    1
}

#[test]
fn is_one() {
    assert_eq!(one(), 1);
}

#[test]
