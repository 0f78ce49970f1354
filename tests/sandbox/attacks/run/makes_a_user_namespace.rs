// Starts a process that is root in a namespace of its own, where much of the kernel can be reached.
// protected: test_failed (PermissionDenied)
// control: passed
// needs: x86_64 namespaces
// phases: test

const CLONE: i64 = 56;
const CLONE_NEWUSER_AND_SIGCHLD: i64 = 0x1000_0011;

extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn _exit(status: i32) -> !;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_user_namespace() {
        let child = unsafe { syscall(CLONE, CLONE_NEWUSER_AND_SIGCHLD, 0usize, 0usize, 0usize, 0usize) };
        if child == 0 {
            unsafe { _exit(0) };
        }
        assert!(child > 0, "{:?}", std::io::Error::last_os_error());
    }
}
