// Only the tests forget an import.
use std::collections::BTreeSet;

fn union(a: &[u8], b: &[u8]) -> BTreeSet<u8> {
    a.iter().chain(b).copied().collect()
}

mod inner {
    pub fn sorted(mut v: Vec<u8>) -> Vec<u8> {
        v.sort_unstable();
        v
    }
}

#[cfg(test)]
mod tests {
    use super::union;

    #[test]
    fn unites() {
        assert_eq!(union(&[2, 1], &[1]), BTreeSet::from([1, 2]));
        assert_eq!(inner::sorted(vec![2, 1]), [1, 2]);
    }
}
