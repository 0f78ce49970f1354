// The last brace of the tests is missing, as when the text was cut.
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
