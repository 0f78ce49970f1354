// An overflow that the compiler sees, in a test.
fn add(a: u8, b: u8) -> u8 {
    a.saturating_add(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturates() {
        assert_eq!(add(250, 10), 250 + 10 - 5);
        let max = u8::MAX;
        assert_eq!(add(max, 1), max + 1);
    }
}
