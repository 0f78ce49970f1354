// Starts its own program.
// protected: test_failed (code: )
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn starts_itself() {
        let own = std::env::current_exe().unwrap();
        assert!(std::process::Command::new(own).arg("--list").output().unwrap().status.success());
    }
}
