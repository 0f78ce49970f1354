// Computes a constant that has no room in memory.
// protected: build_error (more memory than available)
// control: passed
// limits: memory_mb=1024
// number: 100_000, control 1

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
