// Takes a file into the program that has no end. There is none that would do no harm to a control; it takes an empty
// one.
// protected: build_error
// control: passed
// limits: memory_mb=512
// number: zero, control null

const ZEROES: &[u8] = include_bytes!("/dev/NUMBER");

fn zeroes() -> usize {
    ZEROES.len()
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
