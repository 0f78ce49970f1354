// Reads where another process has its memory.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn reads_a_memory_map() {
        assert!(!std::fs::read("/proc/VICTIM/maps").unwrap().is_empty());
    }
}
