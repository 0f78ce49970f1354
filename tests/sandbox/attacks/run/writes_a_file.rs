// Writes a new file outside.
// protected: test_failed (PermissionDenied)
// control: passed, leaves made:written
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn writes_a_file() {
        std::fs::write("OUTSIDE/written", "x").unwrap();
    }
}
