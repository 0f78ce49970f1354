// Reads a variable of the caller's environment. Its environment is its own with and without isolation, so the control
// reads a variable of that.
// protected: test_failed (is_ok())
// control: passed
// phases: test
// number: ATTACK_SECRET, control TMPDIR

#[cfg(test)]
mod tests {
    #[test]
    fn reads_the_environment() {
        assert!(std::env::var("NUMBER").is_ok());
    }
}
