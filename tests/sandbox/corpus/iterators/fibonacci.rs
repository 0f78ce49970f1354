// An infinite iterator.
struct Fibonacci {
    current: u64,
    next: u64,
}

impl Iterator for Fibonacci {
    type Item = u64;

    fn next(&mut self) -> Option<Self::Item> {
        let value = self.current;
        self.current = self.next;
        self.next += value;
        Some(value)
    }
}

fn fibonacci() -> Fibonacci {
    Fibonacci { current: 0, next: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_ten() {
        let xs: Vec<u64> = fibonacci().take(10).collect();
        assert_eq!(xs, vec![0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
    }

    #[test]
    fn even_ones_below_a_hundred() {
        let sum: u64 = fibonacci().take_while(|&x| x < 100).filter(|x| x % 2 == 0).sum();
        assert_eq!(sum, 44);
    }
}
