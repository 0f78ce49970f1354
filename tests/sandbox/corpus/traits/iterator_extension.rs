// An extension trait for every iterator.
trait Every: Iterator + Sized {
    fn every(self, n: usize) -> Vec<Self::Item> {
        self.enumerate().filter(|(i, _)| i % n == 0).map(|(_, x)| x).collect()
    }
}

impl<I: Iterator> Every for I {}

#[cfg(test)]
mod tests {
    use super::Every;

    #[test]
    fn every_third() {
        assert_eq!((0..10).every(3), [0, 3, 6, 9]);
        assert_eq!("abcde".chars().every(2).into_iter().collect::<String>(), "ace");
    }
}
