// Hides an argument to the linker in the name of a library. The linker sees one long name, with and without
// isolation.
// protected: build_error (linking with)
// control: build_error (linking with)

#[link(name = "c -o OUTSIDE/written")]
extern "C" {}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
