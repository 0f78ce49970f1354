// A match on a tuple.
fn fizz_buzz(n: u32) -> String {
    match (n % 3, n % 5) {
        (0, 0) => "FizzBuzz".to_string(),
        (0, _) => "Fizz".to_string(),
        (_, 0) => "Buzz".to_string(),
        _ => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_fizz() {
        assert_eq!(fizz_buzz(9), "Fizz");
    }

    #[test]
    fn test_buzz() {
        assert_eq!(fizz_buzz(10), "Buzz");
    }

    #[test]
    fn test_fizz_buzz() {
        assert_eq!(fizz_buzz(15), "FizzBuzz");
    }

    #[test]
    fn test_number() {
        assert_eq!(fizz_buzz(7), "7");
    }
}
