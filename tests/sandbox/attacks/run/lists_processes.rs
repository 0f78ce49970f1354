// Lists the processes of the host.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn lists_processes() {
        assert!(std::fs::read_dir("/proc").unwrap().count() > 2);
    }
}
