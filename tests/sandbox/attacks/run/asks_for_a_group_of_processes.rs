// Asks for the group and session of another process, by which it could find all of them.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn getpgid(process: i32) -> i32;
    fn getsid(process: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_a_group_of_processes() {
        assert!(unsafe { getpgid(0) } >= 0 && unsafe { getsid(std::process::id() as i32) } >= 0);
        let found = unsafe { getpgid(VICTIM) } > 0 || unsafe { getsid(VICTIM) } > 0;
        assert!(found, "{:?}", std::io::Error::last_os_error());
    }
}
