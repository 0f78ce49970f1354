// Sleeps without end, which takes no CPU time.
// protected: timeout (wall-clock)
// control: passed
// phases: test
// limits: wall_s=3
// number: 10000000, control 10

#[cfg(test)]
mod tests {
    #[test]
    fn sleeps() {
        std::thread::sleep(std::time::Duration::from_millis(NUMBER));
    }
}
