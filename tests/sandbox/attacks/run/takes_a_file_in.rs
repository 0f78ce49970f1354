// Moves a file from outside into its own project.
// protected: test_failed (code: )
// control: passed, leaves gone:secret
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn takes_a_file_in() {
        std::fs::rename("OUTSIDE/secret", "mine").unwrap();
    }
}
