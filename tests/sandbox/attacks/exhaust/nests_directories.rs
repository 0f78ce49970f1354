// Nests directories by the thousand and waits until somebody walks through them: fewer than may be made.
// protected: passed
// control: passed
// phases: test
// number: 3000, control 10

#[cfg(test)]
mod tests {
    #[test]
    fn nests_directories() {
        for _ in 0..NUMBER {
            std::fs::create_dir("d").unwrap();
            std::env::set_current_dir("d").unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 100)));
    }
}
