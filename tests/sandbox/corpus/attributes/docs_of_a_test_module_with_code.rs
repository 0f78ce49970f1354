// Docs of the test module with a main and a test in a code block.
fn f() -> u8 {
    3
}

/// ```
/// #[test]
/// fn main() {
///     assert!(true);
/// }
/// ```
#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
