// Reads a file outside.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn reads_a_file() {
        assert_eq!(std::fs::read_to_string("OUTSIDE/secret").unwrap(), "hunter2");
    }
}
