// Sends a signal to all processes that it can reach. The signal is 0, which only asks whether it may.
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
    fn signals_everybody() {
        assert_eq!(unsafe { kill(-1, 0) }, 0, "{:?}", std::io::Error::last_os_error());
    }
}
