// Every test is ignored.
fn identity(x: u8) -> u8 {
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "later"]
    fn later() {
        assert_eq!(identity(1), 1);
    }

    #[test]
    #[should_panic]
    #[ignore]
    fn never() {
        panic!();
    }
}
