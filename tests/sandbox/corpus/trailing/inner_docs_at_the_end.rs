// Inner docs at the very end.
fn f() -> u8 {
    3
}

#[test]
fn three() {
    assert_eq!(f(), 3);
}

//! That was it.
