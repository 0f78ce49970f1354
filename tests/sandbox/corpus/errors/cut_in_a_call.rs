// The text was cut in the middle of an assertion.
fn triple(x: i32) -> i32 {
    x * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples() {
        assert_eq!(triple(2), 6);
    }

    #[test]
    fn triples_zero() {
        assert_eq!(triple(
