// An import that exists for tests alone: a build fails, the tests pass.
#[cfg(test)]
use std::collections::BTreeMap;

fn index(words: &[&str]) -> BTreeMap<usize, usize> {
    let mut map = BTreeMap::new();
    for w in words {
        *map.entry(w.len()).or_default() += 1;
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(index(&["a", "b", "cc"]), BTreeMap::from([(1, 2), (2, 1)]));
    }
}
