// Appends to a file outside.
// protected: test_failed (PermissionDenied)
// control: passed, leaves changed:secret
// phases: test

#[cfg(test)]
mod tests {
    #[test]
    fn appends_to_a_file() {
        let mut file = std::fs::OpenOptions::new().append(true).open("OUTSIDE/secret").unwrap();
        std::io::Write::write_all(&mut file, b"x").unwrap();
    }
}
