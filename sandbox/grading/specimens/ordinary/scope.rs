// Threads that borrow from the stack.
use std::thread;

fn sum(xs: &[u64]) -> u64 {
    let (left, right) = xs.split_at(xs.len() / 2);
    thread::scope(|s| {
        let left = s.spawn(|| left.iter().sum::<u64>());
        let right: u64 = right.iter().sum();
        left.join().unwrap() + right
    })
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn sums() {
        let xs: Vec<u64> = (0..1000).collect();
        assert_eq!(sum(&xs), 499_500);
        assert_eq!(sum(&[]), 0);
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn panics() {
        std::thread::scope(|s| {
            s.spawn(|| panic!("inside"));
        });
    }
}
