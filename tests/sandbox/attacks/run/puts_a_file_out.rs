// Moves a file of its own to the outside.
// protected: test_failed (code: )
// control: passed, leaves made:moved
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn puts_a_file_out() {
        std::fs::write("mine", "x").unwrap();
        std::fs::rename("mine", "OUTSIDE/moved").unwrap();
    }
}
