// The bound that comparison needs is missing.
fn largest<T>(items: &[T]) -> &T {
    let mut best = &items[0];
    for item in items {
        if item > best {
            best = item;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_it() {
        assert_eq!(largest(&[1, 5, 2]), &5);
    }
}
