// HashSet is used and never imported, and the tests import what does not exist.
fn distinct(xs: &[i32]) -> usize {
    let set: HashSet<i32> = xs.iter().copied().collect();
    set.len()
}

#[cfg(test)]
mod tests {
    use super::{distinct, unique};

    #[test]
    fn counts() {
        assert_eq!(distinct(&[1, 1, 2]), 2);
    }
}
