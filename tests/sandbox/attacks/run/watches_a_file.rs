// Watches what others do with a file outside.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn inotify_init1(flags: i32) -> i32;
    fn inotify_add_watch(queue: i32, path: *const std::ffi::c_char, events: u32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_a_file() {
        let queue = unsafe { inotify_init1(0) };
        assert!(queue >= 0, "{:?}", std::io::Error::last_os_error());
        assert!(unsafe { inotify_add_watch(queue, c"OUTSIDE/secret".as_ptr(), 2) } >= 0);
    }
}
