// Reads the users of the host.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn reads_the_users() {
        assert!(std::fs::read_to_string("/etc/passwd").unwrap().contains("root"));
    }
}
