// Writes files in a directory that it takes the right to be read from.
// protected: timeout (wrote more than)
// control: passed
// phases: test
// limits: disk_mb=64
// number: 150, control 3

#[cfg(test)]
mod tests {
    #[test]
    fn hides_files_in_a_locked_directory() {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir("locked").unwrap();
        let directory = std::fs::File::open("locked").unwrap();
        directory.set_permissions(std::fs::Permissions::from_mode(0o300)).unwrap();
        for i in 0..NUMBER {
            std::fs::write(format!("locked/{i}"), vec![1u8; 1 << 20]).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 3)));
    }
}
