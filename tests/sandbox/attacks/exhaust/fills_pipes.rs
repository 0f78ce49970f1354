// Fills pipes, whose memory counts for no process, after making each as large as the kernel lets it.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn fcntl(descriptor: i32, command: i32, ...) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    #[test]
    fn fills_pipes() {
        let mut pipes = Vec::new();
        for _ in 0..4 {
            let (reader, mut writer) = std::io::pipe().unwrap();
            let size = unsafe { fcntl(writer.as_raw_fd(), 1031, 1 << 20) };
            assert!(size >= 1 << 20, "{:?}", std::io::Error::last_os_error());
            writer.write_all(&[1u8; 1 << 20]).unwrap();
            pipes.push((reader, writer));
        }
    }
}
