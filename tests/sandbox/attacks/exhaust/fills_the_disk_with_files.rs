// Makes a hundred thousand files.
// protected: timeout (wrote more than)
// control: passed
// phases: test
// limits: files=3000 run_cpu_s=8
// number: 100_000, control 100

#[cfg(test)]
mod tests {
    #[test]
    fn fills_the_disk_with_files() {
        for i in 0..NUMBER {
            std::fs::File::create(format!("{i}")).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1500 * u64::from(NUMBER > 100)));
    }
}
