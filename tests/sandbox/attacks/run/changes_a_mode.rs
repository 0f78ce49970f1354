// Locks a directory outside by its mode.
// protected: test_failed (PermissionDenied)
// control: passed, leaves changed:.
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn changes_a_mode() {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions("OUTSIDE", std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}
