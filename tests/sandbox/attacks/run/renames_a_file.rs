// Gives a file outside another name.
// protected: test_failed (PermissionDenied)
// control: passed, leaves gone:secret made:other
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn renames_a_file() {
        std::fs::rename("OUTSIDE/secret", "OUTSIDE/other").unwrap();
    }
}
