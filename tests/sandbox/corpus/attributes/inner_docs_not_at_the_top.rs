// Inner docs after an item.
use std::fmt;

//! A module about points.

struct Point(i32);

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn shows() {
        assert_eq!(super::Point(1).to_string(), "<1>");
    }
}
