// A module of tests whose file does not exist: only the tests do not build.
fn half(x: i32) -> Option<i32> {
    (x % 2 == 0).then_some(x / 2)
}

#[cfg(test)]
mod half_tests;

#[test]
fn halves() {
    assert_eq!(half(4), Some(2));
}
