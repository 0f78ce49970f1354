// Roman numerals, both ways.
const SYMBOLS: [(u32, &str); 13] = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
];

pub fn to_roman(mut n: u32) -> String {
    let mut result = String::new();
    for (value, symbol) in SYMBOLS {
        while n >= value {
            result.push_str(symbol);
            n -= value;
        }
    }
    result
}

pub fn from_roman(mut s: &str) -> Option<u32> {
    let mut n = 0;
    for (value, symbol) in SYMBOLS {
        while let Some(rest) = s.strip_prefix(symbol) {
            n += value;
            s = rest;
        }
    }
    s.is_empty().then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numerals() {
        assert_eq!(to_roman(1994), "MCMXCIV");
        assert_eq!(from_roman("XLII"), Some(42));
        assert_eq!(from_roman("ABC"), None);
    }

    #[test]
    fn round_trip() {
        assert!((1..4000).all(|n| from_roman(&to_roman(n)) == Some(n)));
    }
}
