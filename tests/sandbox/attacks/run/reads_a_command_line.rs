// Reads the command line of the caller.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn reads_a_command_line() {
        assert!(!std::fs::read("/proc/PARENT/cmdline").unwrap().is_empty());
    }
}
