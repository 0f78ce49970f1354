// Asks for the keys that the kernel keeps for a session.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: x86_64

extern "C" {
    fn syscall(number: i64, ...) -> i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_a_key() {
        assert!(unsafe { syscall(250, 0, -3, 0) } >= 0, "{:?}", std::io::Error::last_os_error());
    }
}
