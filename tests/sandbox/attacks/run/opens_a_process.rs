// Opens another process, to signal it and to take its descriptors.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn syscall(number: i64, ...) -> i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_a_process() {
        assert!(unsafe { syscall(434, VICTIM, 0) } >= 0, "{:?}", std::io::Error::last_os_error());
    }
}
