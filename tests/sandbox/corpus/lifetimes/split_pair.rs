// Two lifetimes in one struct, and an iterator over borrowed pairs.
#[derive(Debug, PartialEq)]
struct Pair<'k, 'v> {
    key: &'k str,
    value: &'v str,
}

fn zip<'k, 'v>(keys: &'k str, values: &'v str) -> impl Iterator<Item = Pair<'k, 'v>> {
    keys.split(',').zip(values.split(',')).map(|(key, value)| Pair { key, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outlive_keys() {
        let values = String::from("1,2");
        let last: &str = {
            let keys = String::from("a,b");
            let pair = zip(&keys, &values).last().unwrap();
            assert_eq!(pair, Pair { key: "b", value: "2" });
            pair.value
        };
        assert_eq!(last, "2");
    }
}
