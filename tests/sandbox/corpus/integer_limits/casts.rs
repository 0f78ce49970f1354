// Casts that cut, wrap and saturate.
fn cut(x: f64) -> (u8, i8, i32) {
    (x as u8, x as i8, x as i32)
}

fn wrapped(x: i64) -> (u8, u32, i16) {
    (x as u8, x as u32, x as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturates() {
        assert_eq!(cut(300.7), (255, 127, 300));
        assert_eq!(cut(-1e30), (0, -128, i32::MIN));
        assert_eq!(cut(f64::NAN), (0, 0, 0));
    }

    #[test]
    fn wraps() {
        assert_eq!(wrapped(-1), (255, u32::MAX, -1));
        assert_eq!(wrapped(65_536 + 7), (7, 65_543, 7));
    }
}
