// A test that takes an argument.
fn f(x: u8) -> u8 {
    x
}

#[cfg(test)]
mod tests {
    #[test]
    fn one(x: u8) {
        assert_eq!(super::f(x), x);
    }
}
