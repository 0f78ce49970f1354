// Leaves a symbolic link outside, for others to follow.
// protected: test_failed (PermissionDenied)
// control: passed, leaves made:alias
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn makes_a_symbolic_link() {
        std::os::unix::fs::symlink("/", "OUTSIDE/alias").unwrap();
    }
}
