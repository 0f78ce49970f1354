// Asks for the processors of another process, which tells whether there is one.
// protected: test_failed (Unsupported)
// control: passed
// phases: test

extern "C" {
    fn sched_getaffinity(process: i32, size: usize, mask: *mut u64) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_where_a_process_may_run() {
        let mut mask = [0u64; 128];
        assert_eq!(unsafe { sched_getaffinity(0, 1024, mask.as_mut_ptr()) }, 0);
        let asked = unsafe { sched_getaffinity(VICTIM, 1024, mask.as_mut_ptr()) };
        assert_eq!(asked, 0, "{:?}", std::io::Error::last_os_error());
    }
}
