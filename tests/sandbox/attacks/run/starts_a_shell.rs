// Starts a shell.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn starts_a_shell() {
        let status = std::process::Command::new("/bin/sh").args(["-c", "true"]).status();
        assert!(status.unwrap().success());
    }
}
