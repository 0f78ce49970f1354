// Lists the home directory of the caller.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn lists_the_home() {
        std::fs::read_dir("HOME").unwrap();
    }
}
