// Sets up an io_uring, whose operations no filter of system calls sees.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: io_uring

extern "C" {
    fn syscall(number: i64, ...) -> i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_up_io_uring() {
        let mut parameters = [0u8; 120];
        assert!(unsafe { syscall(425, 1, parameters.as_mut_ptr()) } >= 0, "{:?}", std::io::Error::last_os_error());
    }
}
