// Display and FromStr that invert each other.
use std::fmt;
use std::str::FromStr;

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Rgb(pub u8, pub u8, pub u8);

#[derive(Debug, PartialEq, Eq)]
pub enum ParseRgbError {
    NoHash,
    BadLength(usize),
    BadDigit,
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl FromStr for Rgb {
    type Err = ParseRgbError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let hex = s.strip_prefix('#').ok_or(ParseRgbError::NoHash)?;
        if hex.len() != 6 || !hex.is_ascii() {
            return Err(ParseRgbError::BadLength(hex.len()));
        }
        let part = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).map_err(|_| ParseRgbError::BadDigit);
        Ok(Rgb(part(0)?, part(2)?, part(4)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let colour = Rgb(255, 128, 0);
        assert_eq!(colour.to_string(), "#ff8000");
        assert_eq!("#ff8000".parse::<Rgb>(), Ok(colour));
    }

    #[test]
    fn errors() {
        assert_eq!("ff8000".parse::<Rgb>(), Err(ParseRgbError::NoHash));
        assert_eq!("#ff80".parse::<Rgb>(), Err(ParseRgbError::BadLength(4)));
        assert_eq!("#gg8000".parse::<Rgb>(), Err(ParseRgbError::BadDigit));
    }
}
