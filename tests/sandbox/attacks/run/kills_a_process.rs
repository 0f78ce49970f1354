// Kills another process.
// protected: test_failed (PermissionDenied)
// control: passed, leaves victim:killed
// phases: test

extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_a_process() {
        assert_eq!(unsafe { kill(VICTIM, 9) }, 0, "{:?}", std::io::Error::last_os_error());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
