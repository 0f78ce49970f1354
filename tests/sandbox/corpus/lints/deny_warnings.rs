// All warnings are errors, and there is one.
#![deny(warnings)]

fn sum(xs: &[i32]) -> i32 {
    let mut total = 0;
    for i in 0..xs.len() {
        total += xs[i];
    }
    return total;
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums() {
        assert_eq!(super::sum(&[1, 2]), 3);
    }
}
