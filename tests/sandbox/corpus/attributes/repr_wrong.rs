// A representation that an enum's discriminants do not fit, and a reference into a packed struct.
#[repr(u8)]
enum Big {
    A = 300,
}

#[repr(packed)]
struct Packed(u8, u32);

fn second(p: &Packed) -> &u32 {
    &p.1
}

#[cfg(test)]
mod tests {
    #[test]
    fn second() {
        assert_eq!(*super::second(&super::Packed(1, 2)), 2);
    }
}
