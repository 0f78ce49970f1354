// Takes a file outside into the program as code.
// protected: build_error (couldn't read)
// control: passed

include!("OUTSIDE/module.rs");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
