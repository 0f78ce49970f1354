// A file that only cargo writes beside the program.
fn has(name: &str) -> bool {
    std::path::Path::new(name).exists()
}

#[cfg(test)]
mod tests {
    #[test]
    fn manifest() {
        assert!(super::has("Cargo.toml"));
        assert!(super::has("src/main.rs"));
    }

    #[test]
    fn lock() {
        assert!(super::has("Cargo.lock"));
    }
}
