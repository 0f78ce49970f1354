// A doc comment with a code block in it at the very end.
fn add(a: u8, b: u8) -> u8 {
    a.wrapping_add(b)
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 2), 3);
    }
}

/// ```
/// #[test]
/// fn main() {
///     assert!(true);
/// }
/// ```
