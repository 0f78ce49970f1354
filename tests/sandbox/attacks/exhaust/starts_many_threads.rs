// Starts a thousand threads that wait for each other. Without root they are bounded by memory alone.
// protected: test_failed (WouldBlock)
// control: passed
// phases: test
// needs: user

#[cfg(test)]
mod tests {
    #[test]
    fn starts_many_threads() {
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        let mut threads = Vec::new();
        for _ in 0..1000 {
            let gate = std::sync::Arc::clone(&gate);
            let wait = move || drop(gate.lock().unwrap().recv());
            threads.push(std::thread::Builder::new().stack_size(1 << 16).spawn(wait).unwrap());
        }
        drop(open);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
