// Strings cannot be indexed by a number, nor added like numbers.
fn first(s: &str) -> char {
    s[0]
}

fn join(a: &str, b: &str) -> String {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        assert_eq!(first("abc"), 'a');
        assert_eq!(join("a", "b"), "ab");
    }
}
