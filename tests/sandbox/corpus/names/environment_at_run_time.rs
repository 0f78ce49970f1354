// The environment of tests, without what only a compiler is told.
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::is_set;

    #[test]
    fn of_a_package() {
        assert!(is_set("CARGO_PKG_NAME") && is_set("CARGO_MANIFEST_DIR") && is_set("CARGO"));
    }

    #[test]
    fn of_a_compiler() {
        assert!(!is_set("CARGO_CRATE_NAME") && !is_set("CARGO_PRIMARY_PACKAGE"));
    }

    #[test]
    fn of_a_linter() {
        assert!(!is_set("CLIPPY_ARGS"));
    }
}
