// Makes a file of memory, which no limit of the disk counts.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn memfd_create(name: *const std::ffi::c_char, flags: u32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_memory_file() {
        assert!(unsafe { memfd_create(c"file".as_ptr(), 0) } >= 0, "{:?}", std::io::Error::last_os_error());
    }
}
