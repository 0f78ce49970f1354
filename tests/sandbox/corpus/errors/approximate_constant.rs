// The linter refuses an approximate constant of the standard library.
fn circumference(r: f64) -> f64 {
    2.0 * 3.14159 * r
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one() {
        assert!((circumference(1.0) - 6.28318).abs() < 1e-9);
    }
}
