// Has the compiler write an object file that is larger than a file may be.
// protected: build_error
// control: passed
// limits: file_mb=32
// number: 64, control 1

static LARGE: [u8; NUMBER << 20] = [1; NUMBER << 20];

fn large() -> &'static [u8] {
    &LARGE
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
