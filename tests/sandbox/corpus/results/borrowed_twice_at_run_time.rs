// A RefCell is borrowed twice, a Mutex is poisoned.
use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::thread;

fn move_first(a: &RefCell<Vec<i32>>, b: &RefCell<Vec<i32>>) {
    let mut from = a.borrow_mut();
    let mut to = b.borrow_mut();
    to.push(from.remove(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two() {
        let (a, b) = (RefCell::new(vec![1]), RefCell::new(vec![]));
        move_first(&a, &b);
        assert_eq!(*b.borrow(), [1]);
    }

    #[test]
    fn within_one() {
        let a = RefCell::new(vec![1]);
        move_first(&a, &a);
    }

    #[test]
    fn poison() {
        let shared = Arc::new(Mutex::new(0));
        let other = Arc::clone(&shared);
        let joined = thread::spawn(move || {
            let _guard = other.lock().unwrap();
            panic!("while holding the lock");
        })
        .join();
        assert!(joined.is_err());
        assert!(shared.is_poisoned());
    }
}
