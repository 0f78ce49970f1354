// Kahn's algorithm with a BTreeSet, so that the order is fixed.
use std::collections::{BTreeMap, BTreeSet};

fn order<'a>(edges: &[(&'a str, &'a str)]) -> Result<Vec<&'a str>, Vec<&'a str>> {
    let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for &(first, then) in edges {
        before.entry(first).or_default();
        before.entry(then).or_default().insert(first);
    }
    let mut done = Vec::new();
    while let Some(next) = before.iter().find(|(_, b)| b.is_empty()).map(|(&n, _)| n) {
        before.remove(next);
        before.values_mut().for_each(|b| {
            b.remove(next);
        });
        done.push(next);
    }
    if before.is_empty() {
        Ok(done)
    } else {
        Err(before.into_keys().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clothes() {
        let edges = [("socks", "shoes"), ("trousers", "shoes"), ("trousers", "belt")];
        assert_eq!(order(&edges), Ok(vec!["socks", "trousers", "belt", "shoes"]));
    }

    #[test]
    fn a_cycle() {
        assert_eq!(order(&[("a", "b"), ("b", "a"), ("c", "a")]), Err(vec!["a", "b"]));
    }
}
