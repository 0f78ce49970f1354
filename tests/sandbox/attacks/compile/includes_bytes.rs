// Takes a file outside into the program as bytes.
// protected: build_error (couldn't read)
// control: passed

const SECRET: &[u8] = include_bytes!("OUTSIDE/secret");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
