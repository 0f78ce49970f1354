// A macro that calls itself for ever, in the tests.
macro_rules! again {
    ($($x:tt)*) => { again!($($x)* x) };
}

fn f() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!(super::f(), again!());
    }
}
