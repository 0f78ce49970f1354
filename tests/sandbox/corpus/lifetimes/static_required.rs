// A thread needs 'static and gets a borrowed slice.
use std::thread;

fn parallel_sum(xs: &[u32]) -> u32 {
    let (left, right) = xs.split_at(xs.len() / 2);
    let handle = thread::spawn(move || left.iter().sum::<u32>());
    right.iter().sum::<u32>() + handle.join().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(parallel_sum(&[1, 2, 3, 4]), 10);
    }
}
