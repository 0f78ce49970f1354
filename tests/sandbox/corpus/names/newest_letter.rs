// A test whose name is of a letter that Unicode added late, and sorts after nearly all others.
fn f() -> u8 {
    1
}

#[cfg(test)]
mod 𲎰𲎰 {
    #[test]
    fn 𲎰() {
        assert_eq!(super::f(), 1);
    }
}
