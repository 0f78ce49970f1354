// Gives a thread a table of descriptors of its own, with a call that closes descriptors, and fills a removed file there.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// limits: disk_mb=64
// number: 150, control 3

extern "C" {
    fn syscall(number: i64, ...) -> i64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn parts_from_shared_descriptors() {
        std::thread::spawn(|| {
            let parted = unsafe { syscall(436, 1000, 1001, 2) };
            assert_eq!(parted, 0, "{:?}", std::io::Error::last_os_error());
            let mut file = std::fs::File::create("mine").unwrap();
            std::fs::remove_file("mine").unwrap();
            for _ in 0..NUMBER {
                file.write_all(&[1u8; 1 << 20]).unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 3)));
        })
        .join()
        .unwrap();
    }
}
