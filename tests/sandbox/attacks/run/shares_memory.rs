// Makes shared memory that outlives it (and removes it, so that the control leaves none).
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn shmget(key: i32, size: usize, flags: i32) -> i32;
    fn shmctl(memory: i32, command: i32, about: *mut u8) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_memory() {
        let memory = unsafe { shmget(0, 4096, 0o600) };
        assert!(memory >= 0, "{:?}", std::io::Error::last_os_error());
        assert_eq!(unsafe { shmctl(memory, 0, std::ptr::null_mut()) }, 0);
    }
}
