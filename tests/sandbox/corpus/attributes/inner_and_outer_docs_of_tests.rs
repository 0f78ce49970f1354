// Outer and inner docs on one test module.
fn add(a: u8, b: u8) -> u8 {
    a.wrapping_add(b)
}

/// Outer.
#[cfg(test)]
mod tests {
    //! Inner.
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 2), 3);
    }
}
