// Makes a ruleset of Landlock, of which a kernel can have too many.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

extern "C" {
    fn syscall(number: i64, ...) -> i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_rules_of_landlock() {
        assert!(unsafe { syscall(444, 0usize, 0usize, 1) } >= 0, "{:?}", std::io::Error::last_os_error());
    }
}
