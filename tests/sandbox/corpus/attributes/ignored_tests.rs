// Tests that are ignored, with a reason and without, and one that runs.
fn f(x: u32) -> u32 {
    x * 2
}

#[cfg(test)]
mod tests {
    use super::f;

    #[test]
    #[ignore]
    fn plain() {
        assert_eq!(f(1), 3);
    }

    #[test]
    #[ignore = "takes too long"]
    fn reasoned() {
        loop {}
    }

    #[test]
    fn runs() {
        assert_eq!(f(2), 4);
    }
}
