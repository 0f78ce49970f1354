// Changes a limit of another process: its files, to the hundred that it does not need.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

const RLIMIT_NOFILE: u32 = 7;

extern "C" {
    fn prlimit(pid: i32, resource: u32, new: *const u64, old: *mut u64) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_a_process() {
        let limit = [100u64, 100];
        let set = unsafe { prlimit(VICTIM, RLIMIT_NOFILE, limit.as_ptr(), std::ptr::null_mut()) };
        assert_eq!(set, 0, "{:?}", std::io::Error::last_os_error());
    }
}
