// The compiler's environment: what cargo sets and what it does not.
const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
const BIN: Option<&str> = option_env!("CARGO_BIN_NAME");
const OUT: Option<&str> = option_env!("OUT_DIR");
const EDITION: Option<&str> = option_env!("CARGO_PKG_EDITION");

fn banner() -> String {
    format!("{NAME} {VERSION}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banner_has_name_and_version() {
        assert_eq!(banner(), "rust-program 0.1");
    }

    #[test]
    fn others() {
        assert_eq!(BIN, Some("rust-program"));
        assert_eq!(OUT, None);
        assert_eq!(EDITION, None);
        assert_eq!(option_env!("CARGO_CRATE_NAME"), Some("rust_program"));
        assert_eq!(option_env!("CARGO_PRIMARY_PACKAGE"), Some("1"));
    }

    #[test]
    fn profile() {
        assert_eq!(option_env!("PROFILE"), None);
        assert_eq!(option_env!("TARGET"), None);
    }
}
