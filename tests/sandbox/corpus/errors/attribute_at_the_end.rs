// The text ends with an attribute that finds nothing of its own to stand on.
fn one() -> u8 {
    1
}

#[test]
fn is_one() {
    assert_eq!(one(), 1);
}

#[cfg(test)]
