// A literal's type from the fallback to i32, and one that overflows because of it.
fn total() -> i64 {
    let parts = [1_000_000, 3_000];
    parts.iter().map(|x| i64::from(*x)).sum()
}

fn product(xs: &[i32]) -> i32 {
    xs.iter().fold(1, |a, b| a * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals() {
        assert_eq!(total(), 1_003_000);
    }

    #[test]
    fn products() {
        assert_eq!(product(&[100_000, 100_000]), 1_410_065_408);
    }
}
