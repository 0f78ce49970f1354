// Threads that return values, in order, whatever order they end in.
use std::thread;

fn squares(n: u64) -> Vec<u64> {
    let handles: Vec<_> = (0..n).map(|i| thread::spawn(move || i * i)).collect();
    handles.into_iter().map(|h| h.join().unwrap()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn four() {
        assert_eq!(super::squares(4), [0, 1, 4, 9]);
    }
}
