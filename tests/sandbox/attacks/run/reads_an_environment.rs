// Reads the environment of another process.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn reads_an_environment() {
        let variables = std::fs::read_to_string("/proc/VICTIM/environ").unwrap();
        assert!(variables.contains("VICTIMS_SECRET=hunter2"));
    }
}
