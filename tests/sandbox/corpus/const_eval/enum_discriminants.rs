// Discriminants that are computed, and two that are the same.
const BASE: isize = 10;

enum Level {
    Low = BASE,
    Middle = BASE * 2,
    High = 20,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low() {
        assert_eq!(Level::Low as i32, 10);
    }
}
