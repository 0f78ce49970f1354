// Reads how much CPU time another process has used.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_clock_of_a_process() {
        let mut time = [0; 2];
        assert_eq!(unsafe { clock_gettime(2, &mut time) }, 0, "its own");
        let clock = (!VICTIM << 3) | 2;
        assert_eq!(unsafe { clock_gettime(clock, &mut time) }, 0, "{:?}", std::io::Error::last_os_error());
    }
}
