// A test module called std under its raw name, which hides the library in test builds.
fn f(a: u8, b: u8) -> u8 {
    std::cmp::max(a, b)
}

#[cfg(test)]
mod r#std {
    #[test]
    fn two() {
        assert_eq!(super::f(1, 2), 2);
    }
}
