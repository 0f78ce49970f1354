// A trait import that only the tests use; the program names the trait by its path.
use std::str::FromStr;

struct Port(u16);

impl std::str::FromStr for Port {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        assert_eq!(Port::from_str("80").unwrap().0, 80);
    }
}
