// Begins to trace another process, which gives its memory and its registers.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: ptrace

const PTRACE_SEIZE: i32 = 0x4206;

extern "C" {
    fn ptrace(request: i32, ...) -> i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_a_process() {
        let zero = std::ptr::null::<u8>();
        let traced = unsafe { ptrace(PTRACE_SEIZE, VICTIM, zero, zero) };
        assert_eq!(traced, 0, "{:?}", std::io::Error::last_os_error());
    }
}
