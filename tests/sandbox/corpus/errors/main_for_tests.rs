// A main of the program's own, for tests alone.
fn double(x: i32) -> i32 {
    x * 2
}

#[cfg(test)]
fn main() {
    assert_eq!(double(1), 2);
}

#[test]
fn doubles() {
    assert_eq!(double(2), 4);
}
