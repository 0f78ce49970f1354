// Has a macro use itself, as deep as it may say itself.
// protected: build_error
// control: passed
// number: 100000000, control 100

#![recursion_limit = "NUMBER"]

macro_rules! count {
    () => { 0 };
    ($first:tt $($rest:tt)*) => { 1 + count!($($rest)*) };
}

macro_rules! forever {
    () => { forever!() };
}

const SIX: u8 = count!(1 2 3 4 5 6);

fn six() -> u8 {
    SIX
}

fn endless() {
    forever!();
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
