// A program that was cut in the middle of its last test.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }

    #[test]
    fn four() {
        assert_eq!(super::
