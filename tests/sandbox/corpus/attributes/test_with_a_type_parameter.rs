// A generic test, and one that returns what cannot end a test.
fn f(x: u8) -> u8 {
    x
}

#[cfg(test)]
mod tests {
    #[test]
    fn generic<T: Default>() {
        assert_eq!(super::f(1), 1);
    }

    #[test]
    fn number() -> u8 {
        super::f(2)
    }
}
