// Makes a directory outside its own, and reads what is there by a short name.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn changes_its_directory() {
        std::env::set_current_dir("OUTSIDE").unwrap();
        assert_eq!(std::fs::read_to_string("secret").unwrap(), "hunter2");
    }
}
