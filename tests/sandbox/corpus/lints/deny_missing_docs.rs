// Missing docs are errors, but nothing of a program is exported; the crate itself has none.
#![deny(missing_docs)]

/// Adds.
pub fn add(a: u8, b: u8) -> u8 {
    a.wrapping_add(b)
}

pub struct Undocumented {
    pub field: u8,
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(255, 2), 1);
    }
}
