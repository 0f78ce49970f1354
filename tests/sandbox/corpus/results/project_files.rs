// Tests that look at the files around them, a test per file.
use std::path::Path;

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

#[cfg(test)]
mod tests {
    use super::exists;

    #[test]
    fn manifest() {
        assert!(exists("Cargo.toml"));
    }

    #[test]
    fn source() {
        assert!(exists("src/main.rs"));
        assert!(!exists("src/lib.rs"));
    }

    #[test]
    fn lock() {
        assert!(exists("Cargo.lock"));
    }

    #[test]
    fn target() {
        assert!(exists("target/debug/deps"));
    }

    #[test]
    fn tag() {
        assert!(exists("target/CACHEDIR.TAG"));
    }
}
