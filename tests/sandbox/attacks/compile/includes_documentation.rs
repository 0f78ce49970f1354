// Takes a file outside into the program as documentation.
// protected: build_error (couldn't read)
// control: passed

#[doc = include_str!("OUTSIDE/secret")]
fn documented() {}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
