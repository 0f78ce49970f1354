// Takes a file outside into the program as text.
// protected: build_error (couldn't read)
// control: passed

const SECRET: &str = include_str!("OUTSIDE/secret");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
