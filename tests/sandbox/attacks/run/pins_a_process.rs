// Binds another process to the first processor.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: first_processor

extern "C" {
    fn sched_setaffinity(pid: i32, size: usize, processors: *const u64) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_a_process() {
        let processors = [1u64];
        let bound = unsafe { sched_setaffinity(VICTIM, 8, processors.as_ptr()) };
        assert_eq!(bound, 0, "{:?}", std::io::Error::last_os_error());
    }
}
