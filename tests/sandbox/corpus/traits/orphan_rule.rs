// Implements a foreign trait for a foreign type.
use std::fmt;

impl fmt::Display for Vec<u8> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for byte in self {
            write!(f, "{:02x}", byte)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn hex() {
        assert_eq!(vec![1u8, 255].to_string(), "01ff");
    }
}
