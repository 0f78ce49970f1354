// Overflow in the const itself, and a table index beyond the end.
const DAY_MS: u16 = 24 * 60 * 60;
const TABLE: [u8; 3] = [1, 2, 3];
const FOURTH: u8 = TABLE[3];

fn seconds() -> u32 {
    u32::from(DAY_MS) + u32::from(FOURTH)
}

#[cfg(test)]
mod tests {
    #[test]
    fn day() {
        assert_eq!(super::seconds(), 86_400);
    }
}
