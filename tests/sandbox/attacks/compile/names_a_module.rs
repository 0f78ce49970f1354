// Takes a file outside into the program as a module.
// protected: build_error (couldn't read)
// control: passed

#[path = "OUTSIDE/module.rs"]
mod module;

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
