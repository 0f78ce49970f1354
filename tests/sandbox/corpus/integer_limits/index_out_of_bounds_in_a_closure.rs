// The same inside a closure inside a test module's function.
fn sum(xs: &[u32]) -> u32 {
    xs.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aside() -> impl Fn() -> u32 {
        || [1, 2, 3][5]
    }

    #[test]
    fn sums() {
        assert_eq!(sum(&[1, 2]), 3);
    }
}
