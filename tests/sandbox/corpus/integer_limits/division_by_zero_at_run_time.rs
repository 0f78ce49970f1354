// Divisions whose divisor the compiler cannot see.
fn mean(xs: &[i64]) -> i64 {
    xs.iter().sum::<i64>() / xs.len() as i64
}

#[cfg(test)]
mod tests {
    use super::mean;

    #[test]
    fn of_two() {
        assert_eq!(mean(&[3, 5]), 4);
    }

    #[test]
    #[should_panic(expected = "divide by zero")]
    fn of_none() {
        mean(&[]);
    }

    #[test]
    fn minimum() {
        assert_eq!(i64::MIN / mean(&[-1]), i64::MAX);
    }
}
