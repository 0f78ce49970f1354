// A function for tests alone that is wrong, beside a module of tests that is right.
fn mean(xs: &[f64]) -> f64 {
    xs.iter().sum::<f64>() / xs.len() as f64
}

#[cfg(test)]
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means() {
        assert!(close(mean(&[1.0, 2.0]), 1.5));
    }
}
