// Writes a removed file in a thread that has a table of descriptors of its own, which the process does not show.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// limits: disk_mb=64
// needs: x86_64
// number: 150, control 3

extern "C" {
    fn clone(run: extern "C" fn(usize) -> i32, stack: *mut u8, flags: i32, argument: usize) -> i32;
    fn syscall(number: i64, ...) -> i64;
}

use std::sync::atomic::{AtomicI64, Ordering};

static WRITTEN: AtomicI64 = AtomicI64::new(-1);
static BYTES: [u8; 1 << 20] = [1; 1 << 20];

/// Opens, removes and fills a file, by calls of the kernel alone: this thread shares the storage of another.
extern "C" fn fill(_: usize) -> i32 {
    unsafe {
        let file = syscall(2, b"mine\0".as_ptr(), 0o102, 0o600);
        syscall(87, b"mine\0".as_ptr());
        let written = (0..NUMBER).map(|_| syscall(1, file, BYTES.as_ptr(), BYTES.len())).sum();
        WRITTEN.store(written, Ordering::SeqCst);
        syscall(35, &[i64::from(NUMBER > 3), 500_000_000i64], 0);
        syscall(60, 0);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_descriptors_of_its_own() {
        let mut stack = vec![0u8; 1 << 20];
        let flags = 0x100 | 0x200 | 0x800 | 0x10000; // memory, folder, signals, one process; not the descriptors
        let thread = unsafe { clone(fill, stack.as_mut_ptr().add((1 << 20) - 64), flags, 0) };
        assert!(thread > 0, "{:?}", std::io::Error::last_os_error());
        while WRITTEN.load(Ordering::SeqCst) < 0 {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(300 + 1500 * u64::from(NUMBER > 3)));
        assert_eq!(WRITTEN.load(Ordering::SeqCst), NUMBER << 20);
    }
}
