// Empties a file outside by its name, without opening it.
// protected: test_failed (PermissionDenied)
// control: passed, leaves changed:secret
// phases: test

extern "C" {
    fn truncate(path: *const std::ffi::c_char, length: i64) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncates_a_file() {
        let cut = unsafe { truncate(c"OUTSIDE/secret".as_ptr(), 0) };
        assert_eq!(cut, 0, "{:?}", std::io::Error::last_os_error());
    }
}
