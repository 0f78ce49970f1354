// Gives an argument to the linker, which would write the program elsewhere. The toolchain refuses, with and without
// isolation.
// protected: build_error (cannot find attribute)
// control: build_error (cannot find attribute)

#[link_args = "-o OUTSIDE/written"]
extern "C" {}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
