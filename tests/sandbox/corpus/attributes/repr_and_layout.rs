// Representations, and the sizes that follow from them.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Debug)]
enum Colour {
    Red = 1,
    Blue = 200,
}

#[repr(C)]
struct Padded(u8, u32);

#[repr(C, packed)]
struct Packed(u8, u32);

#[repr(align(64))]
struct Line(u8);

#[repr(transparent)]
struct Id(u64);

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{align_of, size_of};

    #[test]
    fn sizes() {
        assert_eq!(size_of::<Colour>(), 1);
        assert_eq!((size_of::<Padded>(), size_of::<Packed>()), (8, 5));
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
        assert_eq!(size_of::<Option<Box<Id>>>(), 8);
        assert_eq!(Colour::Blue as u8 + Colour::Red as u8, 201);
    }
}
