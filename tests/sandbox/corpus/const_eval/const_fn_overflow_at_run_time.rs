// A const fn that overflows when it is called at run time: a test fails, another expects it.
const fn factorial(n: u32) -> u32 {
    if n == 0 {
        1
    } else {
        n * factorial(n - 1)
    }
}

const TEN: u32 = factorial(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten() {
        assert_eq!(TEN, 3_628_800);
    }

    #[test]
    #[should_panic(expected = "multiply with overflow")]
    fn thirteen() {
        factorial(std::hint::black_box(13));
    }

    #[test]
    fn fourteen() {
        assert_ne!(factorial(std::hint::black_box(14)), 0);
    }
}
