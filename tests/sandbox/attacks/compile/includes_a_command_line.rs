// Takes the command line of the caller into the program.
// protected: build_error (couldn't read)
// control: passed

const CALLED: &[u8] = include_bytes!("/proc/PARENT/cmdline");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
