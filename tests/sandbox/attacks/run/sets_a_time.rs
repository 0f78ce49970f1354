// Sets the time of a file outside back.
// protected: test_failed (PermissionDenied)
// control: passed, leaves changed:secret
// phases: test

extern "C" {
    fn utimensat(directory: i32, path: *const std::ffi::c_char, times: *const i64, flags: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_a_time() {
        let times = [0i64; 4];
        let set = unsafe { utimensat(-100, c"OUTSIDE/secret".as_ptr(), times.as_ptr(), 0) };
        assert_eq!(set, 0, "{:?}", std::io::Error::last_os_error());
    }
}
