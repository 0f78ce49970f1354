// Starts over in the same process without the test that fails. It needs no right that a test has not; cargo believes
// it, and the announced number of tests tells.
// protected: forged or untrusted
// control: forged or untrusted
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn leaves_out_its_failing_test() {
        use std::os::unix::process::CommandExt;
        if std::env::args().any(|word| word == "--skip") {
            return;
        }
        let own = std::env::current_exe().unwrap();
        panic!("{:?}", std::process::Command::new(own).args(["--test-threads=1", "--skip", "fails"]).exec());
    }

    #[test]
    fn then_it_fails() {
        panic!();
    }
}
