// An inline const block refuses a parameter, at the only call of it, in the tests.
fn half<const N: u32>() -> u32 {
    const { assert!(N % 2 == 0) };
    N / 2
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn even() {
        assert_eq!(half::<8>(), 4);
    }

    #[test]
    fn odd() {
        assert_eq!(half::<7>(), 3);
    }
}
