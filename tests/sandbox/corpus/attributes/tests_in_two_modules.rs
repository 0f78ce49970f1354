// Two test modules, and a test of its own outside them; they end in a module that has no tests.
fn f(x: u8) -> u8 {
    x / 2
}

#[test]
fn outside() {
    assert_eq!(f(2), 1);
}

#[cfg(test)]
mod first {
    #[test]
    fn same_name() {
        assert_eq!(super::f(4), 2);
    }
}

#[cfg(test)]
mod second {
    #[test]
    fn same_name() {
        assert_eq!(super::f(5), 3);
    }
}

mod last {
    pub const LAST: u8 = 9;
}
