// A fixture that panics decides what its tests come to.
fn median(xs: &mut [i32]) -> i32 {
    xs.sort_unstable();
    xs[xs.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(n: usize) -> Vec<i32> {
        assert!(n > 0, "an empty fixture");
        (0..n as i32).rev().collect()
    }

    #[test]
    fn odd() {
        assert_eq!(median(&mut fixture(5)), 2);
    }

    #[test]
    fn even() {
        assert_eq!(median(&mut fixture(4)), 2);
    }

    #[test]
    fn none() {
        assert_eq!(median(&mut fixture(0)), 0);
    }
}
