// Reads a file outside by a way that begins in its own project and goes up.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn climbs_by_dots() {
        let up = "../".repeat(40);
        assert_eq!(std::fs::read_to_string(format!("{up}OUTSIDE/secret")).unwrap(), "hunter2");
    }
}
