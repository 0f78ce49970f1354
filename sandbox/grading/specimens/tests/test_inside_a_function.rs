// A test inside a function, that no harness can reach.
fn f() -> u8 {
    #[test]
    fn unreachable_test() {
        panic!();
    }
    4
}

#[cfg(test)]
mod tests {
    #[test]
    fn four() {
        #[test]
        fn inner() {
            panic!();
        }
        assert_eq!(super::f(), 4);
    }
}
