// A macro definition that takes in what follows.
fn f() -> u8 {
    3
}

#[test]
fn three() {
    assert_eq!(f(), 3);
}

macro_rules! swallow {
