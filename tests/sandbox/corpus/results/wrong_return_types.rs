// Tests of types that no test may have: they build, the tests do not.
fn half(x: i32) -> Option<i32> {
    (x % 2 == 0).then_some(x / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option() -> Option<()> {
        assert_eq!(half(4)?, 2);
        Some(())
    }

    #[test]
    #[should_panic]
    fn result() -> Result<(), String> {
        Err("no".into())
    }
}
