// Names its crate by a path, where the compiler would write. The toolchain refuses, with and without isolation.
// protected: build_error (crate_name)
// control: build_error (crate_name)

#![crate_name = "../../escaped"]

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
