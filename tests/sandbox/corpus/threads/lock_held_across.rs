// A lock that is bound to nothing, which the linter refuses, and a deadlock that try_lock sees.
use std::sync::{Mutex, RwLock};

fn bump(n: &Mutex<u32>) -> u32 {
    let _ = n.lock();
    *n.lock().unwrap() + 1
}

fn is_locked(n: &RwLock<u32>) -> bool {
    let _held = n.read().unwrap();
    n.try_write().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bumps() {
        assert_eq!(bump(&Mutex::new(1)), 2);
        assert!(is_locked(&RwLock::new(1)));
    }
}
