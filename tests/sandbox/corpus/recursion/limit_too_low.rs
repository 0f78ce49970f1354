// A recursion limit that the program's own macro exceeds.
#![recursion_limit = "8"]

macro_rules! count {
    () => { 0 };
    ($head:tt $($tail:tt)*) => { 1 + count!($($tail)*) };
}

const N: u32 = count!(a b c d e f g h i j k l);

#[cfg(test)]
mod tests {
    #[test]
    fn twelve() {
        assert_eq!(super::N, 12);
    }
}
