// One implementation decides a type by itself; with the tests' second one, integers fall back to another.
trait Size {
    fn size(self) -> u32;
}

impl Size for u8 {
    fn size(self) -> u32 {
        8
    }
}

fn size_of_one() -> u32 {
    1.size()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Size for i32 {
        fn size(self) -> u32 {
            32
        }
    }

    #[test]
    fn eight() {
        assert_eq!(size_of_one(), 8);
    }
}
