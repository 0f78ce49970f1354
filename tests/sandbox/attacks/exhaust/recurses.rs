// Calls itself until the stack is full.
// protected: test_failed (overflow)
// control: passed
// phases: test
// number: 100000000, control 100

fn depth(n: u64) -> u64 {
    if n == 0 {
        0
    } else {
        depth(std::hint::black_box(n - 1)) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recurses() {
        assert_eq!(depth(NUMBER), NUMBER);
    }
}
