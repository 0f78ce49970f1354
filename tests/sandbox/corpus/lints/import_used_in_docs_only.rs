// An import that only a comment, a string and the tests use.
use std::collections::BTreeSet;

/// Counts, as a `BTreeSet` would.
fn count(xs: &[u8]) -> usize {
    println!("BTreeSet");
    let mut xs = xs.to_vec();
    xs.sort_unstable();
    xs.dedup();
    xs.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let xs = [3, 1, 3];
        assert_eq!(count(&xs), BTreeSet::from(xs).len());
    }
}
