// Makes a message queue that outlives it (and removes it, so that the control leaves none).
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn msgget(key: i32, flags: i32) -> i32;
    fn msgctl(queue: i32, command: i32, about: *mut u8) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_message_queue() {
        let queue = unsafe { msgget(0, 0o600) };
        assert!(queue >= 0, "{:?}", std::io::Error::last_os_error());
        assert_eq!(unsafe { msgctl(queue, 0, std::ptr::null_mut()) }, 0);
    }
}
