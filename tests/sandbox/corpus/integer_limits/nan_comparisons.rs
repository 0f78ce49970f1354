// Comparisons with NaN: rustc warns, and they are all false.
fn is_nan(x: f64) -> bool {
    x == f64::NAN
}

fn largest(xs: &[f64]) -> f64 {
    xs.iter().copied().fold(f64::NAN, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never() {
        assert!(!is_nan(f64::NAN));
    }

    #[test]
    fn ignores_nan() {
        assert_eq!(largest(&[1.0, 3.0, 2.0]), 3.0);
        assert!(largest(&[]).is_nan());
    }

    #[test]
    fn sorts() {
        let mut xs = [2.0, f64::NAN, 1.0];
        xs.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(xs[0], 1.0);
    }
}
