// Has the compiler take a library outside into the program.
// protected: build_error (linking with)
// control: passed

#[link(
    name = "../../../../../../../../../../../../../../..OUTSIDE/library.a",
    kind = "static",
    modifiers = "+verbatim"
)]
extern "C" {}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
