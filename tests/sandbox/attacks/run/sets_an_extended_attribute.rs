// Hangs an extended attribute on a file outside.
// protected: test_failed (PermissionDenied)
// control: passed, leaves changed:secret
// phases: test
// needs: attributes

use std::ffi::c_char;

extern "C" {
    fn setxattr(path: *const c_char, name: *const c_char, value: *const u8, size: usize, flags: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_an_extended_attribute() {
        let set = unsafe { setxattr(c"OUTSIDE/secret".as_ptr(), c"user.mark".as_ptr(), b"x".as_ptr(), 1, 0) };
        assert_eq!(set, 0, "{:?}", std::io::Error::last_os_error());
    }
}
