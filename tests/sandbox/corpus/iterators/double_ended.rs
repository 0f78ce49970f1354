// ExactSizeIterator and DoubleEndedIterator by hand.
struct Countdown {
    low: u32,
    high: u32,
}

impl Iterator for Countdown {
    type Item = u32;
    fn next(&mut self) -> Option<u32> {
        if self.low >= self.high {
            return None;
        }
        self.high -= 1;
        Some(self.high)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = (self.high - self.low) as usize;
        (n, Some(n))
    }
}

impl DoubleEndedIterator for Countdown {
    fn next_back(&mut self) -> Option<u32> {
        (self.low < self.high).then(|| {
            self.low += 1;
            self.low - 1
        })
    }
}

impl ExactSizeIterator for Countdown {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends() {
        let mut it = Countdown { low: 0, high: 5 };
        assert_eq!(it.len(), 5);
        assert_eq!((it.next(), it.next_back(), it.len()), (Some(4), Some(0), 3));
        assert_eq!(it.rev().collect::<Vec<_>>(), [1, 2, 3]);
    }
}
