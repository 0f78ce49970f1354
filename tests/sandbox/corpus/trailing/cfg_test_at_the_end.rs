// An attribute at the very end, with nothing after it: it takes what follows.
fn f() -> u8 {
    3
}

#[test]
fn three() {
    assert_eq!(f(), 3);
}

#[cfg(test)]
