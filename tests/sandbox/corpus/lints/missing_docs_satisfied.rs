//! Docs for the crate, after which the same lint is content.
#![deny(missing_docs)]

/// Adds.
pub fn add(a: u8, b: u8) -> u8 {
    a.wrapping_add(b)
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(255, 2), 1);
    }
}
