// Reads a file outside with instructions in place of the C library.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: x86_64

#[cfg(test)]
mod tests {
    #[test]
    fn opens_a_file_in_assembly() {
        let path = c"OUTSIDE/secret";
        let opened: isize;
        unsafe {
            std::arch::asm!("syscall", inlateout("rax") 2isize => opened, in("rdi") path.as_ptr(), in("rsi") 0, in("rdx") 0, out("rcx") _, out("r11") _);
        }
        assert!(opened >= 0, "{:?}", std::io::Error::from_raw_os_error(-opened as i32));
    }
}
