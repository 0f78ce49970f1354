// Waits for ever for a lock that it holds itself, which takes no CPU time.
// protected: timeout ((a deadlock))
// control: timeout ((a deadlock))
// phases: test
// limits: idle_s=1

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    #[test]
    fn deadlocks() {
        let lock = Mutex::new(7);
        let held = lock.lock().unwrap();
        assert_eq!(*held, *lock.lock().unwrap());
    }
}
