// Writes one file without end.
// protected: test_failed
// control: passed
// phases: test
// limits: file_mb=16
// number: u64::MAX, control 10

#[cfg(test)]
mod tests {
    #[test]
    fn fills_the_disk_with_a_file() {
        use std::io::Write;
        let mut file = std::fs::File::create("large").unwrap();
        for _ in 0..NUMBER {
            file.write_all(&[1u8; 1 << 16]).unwrap();
        }
    }
}
