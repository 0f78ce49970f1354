// A generic iterator adaptor with a cloneable inner iterator.
struct Product<A: Iterator, B> {
    outer: A,
    current: Option<A::Item>,
    inner: B,
    fresh: B,
}

fn product<A: Iterator, B: Iterator + Clone>(mut a: A, b: B) -> Product<A, B> {
    Product { current: a.next(), outer: a, inner: b.clone(), fresh: b }
}

impl<A, B> Iterator for Product<A, B>
where
    A: Iterator,
    A::Item: Clone,
    B: Iterator + Clone,
{
    type Item = (A::Item, B::Item);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let left = self.current.clone()?;
            if let Some(right) = self.inner.next() {
                return Some((left, right));
            }
            self.current = self.outer.next();
            self.inner = self.fresh.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs() {
        let pairs: Vec<_> = product(1..3, "ab".chars()).collect();
        assert_eq!(pairs, [(1, 'a'), (1, 'b'), (2, 'a'), (2, 'b')]);
        assert_eq!(product(0..0, 0..5).count(), 0);
    }
}
