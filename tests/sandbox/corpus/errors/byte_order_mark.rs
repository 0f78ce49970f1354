// A byte order mark in the middle of the text.
fn one() -> u8 {
    1
}

﻿#[test]
fn is_one() {
    assert_eq!(one(), 1);
}
