// Two tests have one name: a build sees neither.
fn is_even(x: i32) -> bool {
    x % 2 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero() {
        assert!(is_even(0));
    }

    #[test]
    fn zero() {
        assert!(is_even(-0));
    }
}
