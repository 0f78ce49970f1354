// Gives a file outside a second name there.
// protected: test_failed (PermissionDenied)
// control: passed, leaves made:second changed:secret
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn makes_a_hard_link() {
        std::fs::hard_link("OUTSIDE/secret", "OUTSIDE/second").unwrap();
    }
}
