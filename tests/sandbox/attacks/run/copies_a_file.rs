// Lets the kernel copy a file from outside.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn copies_a_file() {
        assert_eq!(std::fs::copy("OUTSIDE/secret", "mine").unwrap(), 7);
    }
}
