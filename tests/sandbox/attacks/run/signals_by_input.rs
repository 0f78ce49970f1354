// Has the kernel send a signal to another process, as the owner of a pipe in which something arrives.
// protected: test_failed (PermissionDenied)
// control: passed, leaves victim:killed
// phases: test

const F_SETFL: i32 = 4;
const F_SETOWN: i32 = 8;
const O_ASYNC: i32 = 0o20000;

extern "C" {
    fn pipe(ends: *mut i32) -> i32;
    fn fcntl(descriptor: i32, command: i32, ...) -> i32;
    fn write(descriptor: i32, bytes: *const u8, count: usize) -> isize;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_input() {
        let mut ends = [0i32; 2];
        assert_eq!(unsafe { pipe(ends.as_mut_ptr()) }, 0);
        let owned = unsafe { fcntl(ends[0], F_SETOWN, VICTIM) };
        assert_eq!(owned, 0, "{:?}", std::io::Error::last_os_error());
        assert_eq!(unsafe { fcntl(ends[0], F_SETFL, O_ASYNC) }, 0);
        assert_eq!(unsafe { write(ends[1], b"x".as_ptr(), 1) }, 1);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
