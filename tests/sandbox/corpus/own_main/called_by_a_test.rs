// A test that calls the main that follows.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn calls() {
        super::main();
        crate::main();
        assert_eq!(super::f(), 3);
    }
}
