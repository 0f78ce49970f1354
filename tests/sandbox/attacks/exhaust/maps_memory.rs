// Reserves address space without end, none of which it uses.
// protected: test_failed (OutOfMemory)
// control: passed
// phases: test
// limits: memory_mb=512
// number: 1000, control 4

extern "C" {
    fn mmap(at: *mut u8, size: usize, protection: i32, flags: i32, file: i32, offset: i64) -> *mut u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_memory() {
        let none = std::ptr::null_mut();
        let mapped = (0..NUMBER).all(|_| unsafe { mmap(none, 64 << 20, 3, 0x4022, -1, 0) } as isize != -1);
        assert!(mapped, "{:?}", std::io::Error::last_os_error());
    }
}
