// The manifest, included at compile time.
const MANIFEST: &str = include_str!("../Cargo.toml");

fn edition() -> Option<&'static str> {
    MANIFEST.lines().find_map(|l| l.strip_prefix("edition = "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn edition() {
        assert_eq!(super::edition(), Some("\"2021\""));
    }
}
