// Writes files that have no name any more, where nobody who walks through the directories finds them.
// protected: timeout (wrote more than)
// control: passed
// phases: test
// limits: disk_mb=64
// number: 150, control 3

#[cfg(test)]
mod tests {
    #[test]
    fn fills_the_disk_with_removed_files() {
        use std::io::Write;
        let mut held = Vec::new();
        for _ in 0..NUMBER {
            let mut file = std::fs::File::create("mine").unwrap();
            std::fs::remove_file("mine").unwrap();
            file.write_all(&[1u8; 1 << 20]).unwrap();
            held.push(file);
        }
        std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 3)));
    }
}
