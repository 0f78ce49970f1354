// Takes a file outside into the program, by a way that begins at its own source and goes up.
// protected: build_error (couldn't read)
// control: passed

const SECRET: &str = include_str!(concat!("../../../../../../../../../../../../../../../..", "OUTSIDE/secret"));

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
