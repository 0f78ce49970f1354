// Operands that are equal, in assertions of the tests.
fn id<T>(x: T) -> T {
    x
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn same() {
        let x = id(3);
        assert_eq!(x, x);
        assert!(x == x);
        assert!(x - x == 0);
    }
}
