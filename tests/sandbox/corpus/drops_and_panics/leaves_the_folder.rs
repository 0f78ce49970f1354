// A test that changes the working directory for those after it.
use std::path::Path;

fn has_manifest() -> bool {
    Path::new("Cargo.toml").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaves() {
        assert!(has_manifest());
        std::env::set_current_dir("src").unwrap();
        assert!(!has_manifest());
    }

    #[test]
    fn b_is_elsewhere() {
        assert!(has_manifest());
    }
}
