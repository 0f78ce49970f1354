// cfg! and configurations that are combined.
fn mode() -> &'static str {
    if cfg!(test) { "test" } else { "run" }
}

#[cfg(all(debug_assertions, any(unix, windows), not(feature = "none")))]
fn checked() -> bool {
    true
}

#[cfg_attr(test, derive(Debug, PartialEq))]
struct Mode(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        assert_eq!(Mode(mode()), Mode("test"));
        assert!(checked() && cfg!(debug_assertions));
    }
}
