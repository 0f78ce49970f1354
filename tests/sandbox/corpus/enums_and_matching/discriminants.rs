// Explicit discriminants and TryFrom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Level {
    Low = 1,
    Mid = 5,
    High,
}

impl TryFrom<u8> for Level {
    type Error = u8;

    fn try_from(n: u8) -> Result<Self, u8> {
        [Level::Low, Level::Mid, Level::High].into_iter().find(|&l| l as u8 == n).ok_or(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(Level::High as u8, 6);
        assert_eq!(Level::try_from(5), Ok(Level::Mid));
        assert_eq!(Level::try_from(2), Err(2));
        assert!(Level::Low < Level::High);
    }
}
