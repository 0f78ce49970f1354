// A const fn with an argument that is too much, as a constant inside a test function.
const fn factorial(n: u32) -> u32 {
    if n == 0 { 1 } else { n * factorial(n - 1) }
}

#[cfg(test)]
mod tests {
    use super::factorial;

    #[test]
    fn thirteen() {
        const F: u32 = factorial(13);
        assert_eq!(F, 1);
    }
}
