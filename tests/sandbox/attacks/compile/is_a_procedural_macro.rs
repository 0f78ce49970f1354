// Declares a procedural macro, which would run while compiling. In a program the toolchain refuses it, with and
// without isolation.
// protected: build_error (proc-macro)
// control: build_error (proc-macro)

extern crate proc_macro;

#[proc_macro]
pub fn run(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    std::fs::write("OUTSIDE/written", "x").unwrap();
    input
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
