// A macro that is called test, and an attribute that is still the harness's.
#[allow(unused_macros)]
macro_rules! test {
    ($x:expr) => {
        $x
    };
}

fn f() -> u8 {
    test!(4)
}

#[cfg(test)]
mod tests {
    #[test]
    fn four() {
        assert_eq!(super::f(), 4);
    }
}
