// Changes the owner of a file outside (to what it is: all that one without powers may do).
// protected: test_failed (PermissionDenied)
// control: passed, leaves changed:secret
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn changes_an_owner() {
        use std::os::unix::fs::MetadataExt;
        let about = std::fs::metadata("OUTSIDE/secret").unwrap();
        std::os::unix::fs::chown("OUTSIDE/secret", Some(about.uid()), Some(about.gid())).unwrap();
    }
}
