// Takes processor time from another process: the lowest priority.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn setpriority(which: u32, who: u32, priority: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_a_priority() {
        assert_eq!(unsafe { setpriority(0, VICTIM, 19) }, 0, "{:?}", std::io::Error::last_os_error());
    }
}
