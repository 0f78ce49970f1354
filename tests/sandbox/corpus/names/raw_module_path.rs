// The module's path by a macro under its raw name.
fn path() -> &'static str {
    r#module_path!()
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths() {
        assert_eq!(super::path(), "rust_program");
        assert_eq!(r#file!(), "src/main.rs");
    }
}
