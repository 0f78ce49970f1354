// A test module that is compiled always: without tests its imports are unused.
fn f(x: u8) -> u8 {
    x / 2
}

mod tests {
    use super::*;

    #[test]
    fn half() {
        assert_eq!(f(4), 2);
    }
}
