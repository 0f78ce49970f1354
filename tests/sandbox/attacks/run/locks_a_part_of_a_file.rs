// Locks a range of a file that other programs read too.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn fcntl(descriptor: i32, command: i32, ...) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn locks_a_part_of_a_file() {
        let file = std::fs::File::open("/etc/ld.so.cache").unwrap();
        let whole = [0u64; 8]; // F_RDLCK of all bytes
        for command in [6, 37] {
            let locked = unsafe { fcntl(file.as_raw_fd(), command, whole.as_ptr()) };
            assert_eq!(locked, 0, "{:?}", std::io::Error::last_os_error());
        }
    }
}
