// Without the tests a literal is a u8 and overflows; an implementation in the tests makes it an i32.
trait Size {
    fn size(self) -> u32;
}

impl Size for u8 {
    fn size(self) -> u32 {
        self.into()
    }
}

fn size() -> u32 {
    let top = 255;
    (top + 1).size()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Size for i32 {
        fn size(self) -> u32 {
            self as u32
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size(), 256);
    }
}
