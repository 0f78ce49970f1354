// Asks for an unstable feature. The toolchain refuses, with and without isolation.
// protected: build_error (E0554)
// control: build_error (E0554)

#![feature(core_intrinsics)]

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
