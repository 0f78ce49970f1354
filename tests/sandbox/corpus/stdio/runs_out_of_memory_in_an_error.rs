// A type error in a line that holds the words of a process without memory.
fn lament() -> u32 {
    "memory allocation of 16 bytes failed"
}

#[test]
fn laments() {
    assert_eq!(lament(), 1);
}
