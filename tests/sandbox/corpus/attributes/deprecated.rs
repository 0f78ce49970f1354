// Deprecated items, used outside the tests and in them.
#[deprecated(since = "0.1.0", note = "use `new_sum`")]
fn sum(xs: &[u32]) -> u32 {
    xs.iter().sum()
}

fn twice(xs: &[u32]) -> u32 {
    sum(xs) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(sum(&[1, 2]) * 2, twice(&[1, 2]));
    }
}
