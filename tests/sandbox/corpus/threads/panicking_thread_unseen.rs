// A thread that panics and that nobody joins: its test passes.
use std::thread;

fn start(fails: bool) -> thread::JoinHandle<()> {
    thread::spawn(move || assert!(!fails, "unseen"))
}

#[cfg(test)]
mod tests {
    use super::start;

    #[test]
    fn unseen() {
        let handle = start(true);
        while !handle.is_finished() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn seen() {
        start(true).join().unwrap();
    }
}
