// A test module under its raw name, whose function the program needs.
fn f() -> u8 {
    tests::three()
}

#[cfg(test)]
mod r#tests {
    pub fn three() -> u8 {
        3
    }

    #[test]
    fn is_three() {
        assert_eq!(super::f(), 3);
    }
}
