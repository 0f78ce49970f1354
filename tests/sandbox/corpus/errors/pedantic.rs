// Asks for more of the linter's warnings, and makes one of them an error: clippy::pedantic.
#![warn(clippy::pedantic)]
#![deny(clippy::unwrap_used)]

pub fn largest(xs: &[i64]) -> i32 {
    *xs.iter().max().unwrap() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds() {
        assert_eq!(largest(&[1, 3, 2]), 3);
    }
}
