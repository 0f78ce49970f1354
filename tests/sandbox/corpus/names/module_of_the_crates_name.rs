// A module with the name of the crate, and one called self's way.
mod rust_program {
    pub fn f() -> &'static str {
        module_path!()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn path() {
        assert_eq!(super::rust_program::f(), "rust_program::rust_program");
        assert_eq!(crate::rust_program::f(), super::rust_program::f());
    }
}
