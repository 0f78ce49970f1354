// The text ends with the keyword of an item that was cut off.
fn one() -> u8 {
    1
}

#[test]
fn is_one() {
    assert_eq!(one(), 1);
}

pub const
