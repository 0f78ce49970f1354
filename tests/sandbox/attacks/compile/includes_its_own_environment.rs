// Takes what the compiler knows of the world into the program.
// protected: build_error (couldn't read)
// control: passed

const VARIABLES: &[u8] = include_bytes!("/proc/self/environ");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
