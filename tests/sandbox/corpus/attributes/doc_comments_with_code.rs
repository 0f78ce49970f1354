/// Adds, as in
///
/// ```
/// assert_eq!(add(1, 2), 4); // never run
/// ```
///
/// ```rust
/// fn main() {
///     add(1, 2);
/// }
/// ```
fn add(a: u8, b: u8) -> u8 {
    a.wrapping_add(b)
}

#[cfg(test)]
mod tests {
    /// ```
    /// #[test]
    /// fn inner() {}
    /// ```
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 2), 3);
    }
}
