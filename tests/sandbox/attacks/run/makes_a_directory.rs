// Makes a directory outside.
// protected: test_failed (PermissionDenied)
// control: passed, leaves made:made
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn makes_a_directory() {
        std::fs::create_dir("OUTSIDE/made").unwrap();
    }
}
