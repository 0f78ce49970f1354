// Binary search by a key function.
/// The index of an item with this key, in a slice sorted by key.
fn search_by<T, K: Ord>(items: &[T], key: &K, f: impl Fn(&T) -> K) -> Option<usize> {
    let (mut low, mut high) = (0, items.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match f(&items[middle]).cmp(key) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 4] = ["a", "bb", "dddd", "eeeee"];

    #[test]
    fn found() {
        assert_eq!(search_by(&WORDS, &4, |w| w.len()), Some(2));
    }

    #[test]
    fn not_found() {
        assert_eq!(search_by(&WORDS, &3, |w| w.len()), None);
        assert_eq!(search_by(&[] as &[u8], &3, |&b| b), None);
    }
}
