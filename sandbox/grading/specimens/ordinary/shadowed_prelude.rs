// Types with the names of the prelude's: `Option`, `String`, `Result`, `Some` and `u8`.
#[derive(Debug, PartialEq)]
enum Option {
    Some(String),
    None,
}

#[derive(Debug, PartialEq)]
struct String(u8);

#[allow(non_camel_case_types)]
type u8 = i64;

use Option::Some;

fn make(x: u8) -> Option {
    if x > 300 { Some(String(x)) } else { Option::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes() {
        assert_eq!(make(301), Some(String(301)));
        assert_eq!(make(3), Option::None);
    }
}
