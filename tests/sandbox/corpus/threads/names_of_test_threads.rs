// The name of the thread that a test runs on, and how many the harness is asked to use.
use std::thread;

fn name() -> String {
    thread::current().name().unwrap_or("none").to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn named() {
        assert!(["main", "tests::named"].contains(&super::name().as_str()));
    }

    #[test]
    fn asked() {
        assert!(std::env::args().any(|a| a.starts_with("--test-threads")));
    }
}
