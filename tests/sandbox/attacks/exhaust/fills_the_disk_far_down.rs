// Writes files in a directory whose path is longer than a path may be, so that none who names it finds them.
// protected: timeout (wrote more than)
// control: passed
// phases: test
// limits: disk_mb=64
// number: 150, control 3

#[cfg(test)]
mod tests {
    #[test]
    fn fills_the_disk_far_down() {
        let name = "n".repeat(250);
        for _ in 0..20 {
            std::fs::create_dir(&name).unwrap();
            std::env::set_current_dir(&name).unwrap();
        }
        for i in 0..NUMBER {
            std::fs::write(format!("{i}"), vec![1u8; 1 << 20]).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 3)));
    }
}
