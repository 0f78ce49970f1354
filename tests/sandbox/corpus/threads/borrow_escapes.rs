// A thread that borrows a local variable of a test.
use std::thread;

fn run<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(f).join().unwrap()
}

#[cfg(test)]
mod tests {
    #[test]
    fn borrows() {
        let xs = vec![1, 2];
        assert_eq!(super::run(|| xs.len()), 2);
    }
}
