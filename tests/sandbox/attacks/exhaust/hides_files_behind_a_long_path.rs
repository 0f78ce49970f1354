// Holds a file open whose path is longer than the kernel tells, and after it removed files that fill the disk.
// protected: timeout (wrote more than)
// control: passed
// phases: test
// limits: disk_mb=64
// number: 150, control 3

#[cfg(test)]
mod tests {
    use std::io::Write;

    #[test]
    fn hides_files_behind_a_long_path() {
        let name = "d".repeat(200);
        for _ in 0..25 {
            std::fs::create_dir(&name).unwrap();
            std::env::set_current_dir(&name).unwrap();
        }
        let mut held = vec![std::fs::File::create("long").unwrap()];
        for _ in 0..NUMBER {
            let mut file = std::fs::File::create("mine").unwrap();
            std::fs::remove_file("mine").unwrap();
            file.write_all(&[1u8; 1 << 20]).unwrap();
            held.push(file);
        }
        std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 3)));
    }
}
