// Writes many files, none of them large.
// protected: timeout (wrote more than)
// control: passed
// phases: test
// limits: disk_mb=64
// number: 150, control 3

#[cfg(test)]
mod tests {
    #[test]
    fn fills_the_disk_with_bytes() {
        for i in 0..NUMBER {
            std::fs::write(format!("{i}"), vec![1u8; 1 << 20]).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 3)));
    }
}
