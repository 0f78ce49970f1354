// f64 is no key: neither Eq nor Hash.
use std::collections::HashMap;

fn histogram(xs: &[f64]) -> HashMap<f64, usize> {
    let mut counts = HashMap::new();
    for x in xs {
        *counts.entry(*x).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(histogram(&[0.5, 0.5])[&0.5], 2);
    }
}
