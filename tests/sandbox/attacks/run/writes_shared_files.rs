// Leaves a file in the memory file system that all processes of the host share.
// protected: test_failed (PermissionDenied)
// control: passed, leaves made:shared
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn writes_shared_files() {
        std::fs::write("SHARED", "x").unwrap();
    }
}
