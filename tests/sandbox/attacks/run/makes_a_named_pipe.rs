// Makes a named pipe outside, in which whoever opens it hangs.
// protected: test_failed (PermissionDenied)
// control: passed, leaves made:pipe
// phases: test

extern "C" {
    fn mkfifo(path: *const std::ffi::c_char, mode: u32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_named_pipe() {
        let made = unsafe { mkfifo(c"OUTSIDE/pipe".as_ptr(), 0o666) };
        assert_eq!(made, 0, "{:?}", std::io::Error::last_os_error());
    }
}
