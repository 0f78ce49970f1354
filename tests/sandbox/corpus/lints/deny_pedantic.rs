// A whole group is denied, and one lint of it is allowed again.
#![deny(clippy::pedantic)]
#![allow(clippy::cast_lossless)]

fn wide(x: u8) -> u32 {
    x as u32
}

fn narrow(x: u32) -> u8 {
    x as u8
}

#[cfg(test)]
mod tests {
    #[test]
    fn both() {
        assert_eq!(super::wide(3), 3);
        assert_eq!(super::narrow(257), 1);
    }
}
