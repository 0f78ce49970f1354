// All warnings are errors, and the only one is in the tests.
#![deny(warnings)]

fn sum(xs: &[i32]) -> i32 {
    xs.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let unused = 3;
        assert_eq!(sum(&[1, 2]), 3);
    }
}
