// Sends a signal to its process group, in which cargo is too on the cargo backend. The signal only asks.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_its_group() {
        assert_eq!(unsafe { kill(0, 0) }, 0, "{:?}", std::io::Error::last_os_error());
    }
}
