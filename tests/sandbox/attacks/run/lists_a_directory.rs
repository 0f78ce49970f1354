// Lists a directory outside.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn lists_a_directory() {
        assert!(std::fs::read_dir("OUTSIDE").unwrap().next().is_some());
    }
}
