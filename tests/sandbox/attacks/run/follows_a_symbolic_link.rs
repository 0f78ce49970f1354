// Makes a symbolic link in its project, and reads a file outside through it.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn follows_a_symbolic_link() {
        std::os::unix::fs::symlink("OUTSIDE/secret", "alias").unwrap();
        assert_eq!(std::fs::read_to_string("alias").unwrap(), "hunter2");
    }
}
