// Leaves a process in a session of its own, which no signal to its group reaches.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn leaves_a_daemon() {
        std::process::Command::new("setsid").args(["sleep", "60"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
