// A lock that a panicking thread poisons.
use std::sync::{Arc, Mutex};
use std::thread;

fn poison(shared: &Arc<Mutex<u32>>) {
    let other = Arc::clone(shared);
    let ended = thread::spawn(move || {
        let mut n = other.lock().unwrap();
        *n += 1;
        panic!("with the lock held");
    })
    .join();
    assert!(ended.is_err());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovers() {
        let shared = Arc::new(Mutex::new(1));
        poison(&shared);
        assert!(shared.is_poisoned());
        assert_eq!(*shared.lock().unwrap_or_else(|e| e.into_inner()), 2);
    }

    #[test]
    fn unwraps() {
        let shared = Arc::new(Mutex::new(1));
        poison(&shared);
        assert_eq!(*shared.lock().unwrap(), 2);
    }
}
