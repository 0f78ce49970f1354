// Locks a file that other programs read too.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn flock(descriptor: i32, operation: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn locks_a_shared_file() {
        let file = std::fs::File::open("/etc/ld.so.cache").unwrap();
        assert_eq!(unsafe { flock(file.as_raw_fd(), 2 | 4) }, 0, "{:?}", std::io::Error::last_os_error());
    }
}
