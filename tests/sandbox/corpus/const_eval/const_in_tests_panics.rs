// A const that panics, in the tests alone.
const fn width(n: u32) -> u32 {
    n.trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: u32 = if width(8) == 4 { 4 } else { panic!("width is wrong") };

    #[test]
    fn widths() {
        assert_eq!(width(8), EXPECTED);
    }
}
