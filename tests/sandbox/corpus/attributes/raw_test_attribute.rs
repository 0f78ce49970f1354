// The test attribute under its raw name, on a function that the program calls: it builds for tests only.
fn f() -> u8 {
    check();
    3
}

#[r#test]
fn check() {
    assert_eq!(1 + 1, 2);
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
