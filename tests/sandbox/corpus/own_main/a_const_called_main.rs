// A const called main.
const main: u8 = 3;

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::main, 3);
    }
}
