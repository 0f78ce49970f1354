// An overflow that is certain, in a generic function.
fn widen<T: Into<u64>>(value: T) -> u64 {
    let base: u8 = 255 + 1;
    value.into() + u64::from(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widens() {
        assert_eq!(widen(1u8), 1);
    }
}
