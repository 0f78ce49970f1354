// The linter refuses what can only be a mistake; the tests pass.
fn is_nan(x: f64) -> bool {
    x != x
}

fn all_bits(flags: u32) -> bool {
    flags & 0 == 0
}

fn non_negative(n: u32) -> bool {
    n >= 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan() {
        assert!(is_nan(f64::NAN) && !is_nan(1.0));
        assert!(all_bits(3) && non_negative(0));
    }
}
