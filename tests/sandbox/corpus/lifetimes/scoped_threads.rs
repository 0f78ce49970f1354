// Scoped threads borrow a slice.
use std::thread;

/// Sums two halves in two threads.
fn parallel_sum(xs: &[u64]) -> u64 {
    let (left, right) = xs.split_at(xs.len() / 2);
    thread::scope(|scope| {
        let handle = scope.spawn(|| left.iter().sum::<u64>());
        right.iter().sum::<u64>() + handle.join().expect("the left half")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let xs: Vec<u64> = (1..=100).collect();
        assert_eq!(parallel_sum(&xs), 5050);
        assert_eq!(parallel_sum(&[]), 0);
    }
}
