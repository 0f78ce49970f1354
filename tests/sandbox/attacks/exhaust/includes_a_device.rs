// Takes a file without end into the program, a device; the control takes an empty one.
// protected: build_error or out_of_memory
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
