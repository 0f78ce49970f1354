// Asks for the size and time of a file that it may not open, which is answered: see what is not stopped.
// protected: passed
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn asks_about_files() {
        assert_eq!(std::fs::metadata("OUTSIDE/secret").unwrap().len(), 7);
    }
}
