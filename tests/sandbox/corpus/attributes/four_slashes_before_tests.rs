// A comment of four slashes before the test module: a lint of test builds only.
fn f() -> u8 {
    3
}

//// Tests of `f`.
#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
