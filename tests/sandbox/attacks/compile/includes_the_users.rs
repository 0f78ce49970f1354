// Takes the users of the host into the program.
// protected: build_error (couldn't read)
// control: passed

const USERS: &str = include_str!("/etc/passwd");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
