// Names a crate that would have to be fetched. There is none, with and without isolation.
// protected: build_error (E0463)
// control: build_error (E0463)

extern crate serde;

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
