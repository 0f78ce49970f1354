// The largest element of any comparable slice.
/// Returns the largest element, or `None` for an empty slice.
///
/// ```
/// assert_eq!(largest(&[1, 3, 2]), Some(&3));
/// ```
fn largest<T: PartialOrd>(items: &[T]) -> Option<&T> {
    let mut iter = items.iter();
    let mut best = iter.next()?;
    for item in iter {
        if item > best {
            best = item;
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(largest(&[3, 9, 2]), Some(&9));
    }

    #[test]
    fn strings() {
        assert_eq!(largest(&["pear", "apple"]), Some(&"pear"));
    }

    #[test]
    fn empty() {
        assert_eq!(largest::<f64>(&[]), None);
    }
}
