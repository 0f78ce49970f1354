// Every way to panic in the library, expected and not.
fn nth(xs: &[u8], n: usize) -> u8 {
    *xs.get(n).expect("no such element")
}

#[cfg(test)]
mod tests {
    use super::nth;
    use std::cell::RefCell;

    #[test]
    #[should_panic(expected = "no such element")]
    fn expect() {
        nth(&[], 0);
    }

    #[test]
    #[should_panic(expected = "already borrowed")]
    fn borrow() {
        let cell = RefCell::new(1);
        let _a = cell.borrow_mut();
        let _b = cell.borrow_mut();
    }

    #[test]
    #[should_panic(expected = "not yet implemented")]
    fn todo() {
        todo!();
    }

    #[test]
    #[should_panic(expected = "entered unreachable code: x is 3")]
    fn unreachable() {
        unreachable!("x is {}", 3);
    }

    #[test]
    fn unwrap() {
        let n: Result<u8, _> = "x".parse::<u8>();
        assert_eq!(n.unwrap(), 3);
    }
}
