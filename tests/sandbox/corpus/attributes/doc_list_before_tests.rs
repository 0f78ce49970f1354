/// A function with good docs.
fn add(a: u8, b: u8) -> u8 {
    a.wrapping_add(b)
}

/// Tests:
/// - of `add`, with a line that
/// belongs to the list but does not say so
///	and a tab
#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 2), 3);
    }
}
