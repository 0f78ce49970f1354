// Tests that read the program's own text at compile time and at run time.
const SOURCE: &str = include_str!("main.rs");
const MANIFEST: &str = include_str!("../Cargo.toml");

fn functions() -> usize {
    SOURCE.lines().filter(|l| l.starts_with("fn ")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_functions() {
        assert_eq!(functions(), 2);
    }

    #[test]
    fn package() {
        assert!(MANIFEST.contains("name = \"rust-program\""));
        assert_eq!(file!(), "src/main.rs");
        assert!(std::fs::read_to_string(file!()).unwrap().starts_with("#![allow(dead_code)]"));
    }
}
