// A foreign trait for a foreign type.
use std::fmt;

impl fmt::Display for Vec<u8> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.len())
    }
}

impl<T> From<T> for Option<T> {
    fn from(x: T) -> Self {
        Some(x)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn shows() {
        assert_eq!(vec![1u8].to_string(), "1");
    }
}
