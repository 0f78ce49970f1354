// Runs a file that it wrote, by the dynamic loader, which may be executed: the copy can do no more than itself.
// protected: test_failed (the copy reads: Os { code: 13, kind: PermissionDenied)
// control: passed
// phases: test
// needs: x86_64

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    #[test]
    fn runs_a_copy_by_the_loader() {
        if std::env::var("COPY").is_ok() {
            assert_eq!(std::fs::read_to_string("OUTSIDE/secret").expect("the copy reads"), "hunter2");
            return;
        }
        std::fs::copy(std::env::current_exe().unwrap(), "copy").unwrap();
        let mut loader = std::process::Command::new("/lib64/ld-linux-x86-64.so.2");
        panic!("not started: {:?}", loader.args(["./copy", "--test-threads=1"]).env("COPY", "1").exec());
    }
}
