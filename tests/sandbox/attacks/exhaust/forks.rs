// Forks without end; each child sleeps. The control ends after two hundred, which the sandbox kills.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// number: 100_000, control 200

extern "C" {
    fn fork() -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forks() {
        for _ in 0..NUMBER {
            let child = unsafe { fork() };
            assert!(child >= 0, "{:?}", std::io::Error::last_os_error());
            if child == 0 {
                std::thread::sleep(std::time::Duration::from_secs(60));
                std::process::exit(0);
            }
        }
    }
}
