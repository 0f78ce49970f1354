// Wrapping, saturating, checked and overflowing arithmetic; floats that are no numbers.
fn checked_power(base: u32, exponent: u32) -> Option<u32> {
    (0..exponent).try_fold(1u32, |acc, _| acc.checked_mul(base))
}

fn average(a: u8, b: u8) -> u8 {
    ((u16::from(a) + u16::from(b)) / 2) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        assert_eq!(checked_power(2, 31), Some(1 << 31));
        assert_eq!(checked_power(2, 32), None);
    }

    #[test]
    fn averages() {
        assert_eq!(average(255, 253), 254);
    }

    #[test]
    fn limits() {
        assert_eq!(255u8.wrapping_add(1), 0);
        assert_eq!(200u8.saturating_add(100), u8::MAX);
        assert_eq!(i8::MIN.overflowing_neg(), (i8::MIN, true));
        assert!((0.1f64 + 0.2 - 0.3).abs() < f64::EPSILON && f64::NAN.max(1.0) == 1.0);
    }

    #[test]
    #[should_panic(expected = "attempt to subtract with overflow")]
    fn below_zero() {
        let xs: Vec<u8> = Vec::new();
        assert_eq!(xs.len() - 1, 0);
    }
}
