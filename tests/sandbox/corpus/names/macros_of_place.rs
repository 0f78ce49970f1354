// Where the code is: module, file, line and column.
fn place() -> (&'static str, &'static str, u32, u32) {
    (module_path!(), file!(), line!(), column!())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside() {
        assert_eq!(place(), ("rust_program", "src/main.rs", 4, 42));
    }

    #[test]
    fn inside() {
        assert_eq!(module_path!(), "rust_program::tests");
        assert_eq!(line!(), 19);
    }
}
