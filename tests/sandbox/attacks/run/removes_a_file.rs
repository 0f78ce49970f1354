// Removes a file outside.
// protected: test_failed (PermissionDenied)
// control: passed, leaves gone:secret
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn removes_a_file() {
        std::fs::remove_file("OUTSIDE/secret").unwrap();
    }
}
