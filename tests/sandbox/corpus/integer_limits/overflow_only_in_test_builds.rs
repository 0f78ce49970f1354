// A statement for tests only brings an overflow: it builds, and its tests do not compile.
fn next() -> u8 {
    let x: u8 = 1;
    #[cfg(test)]
    let x: u8 = x + 254;
    x + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn two() {
        assert_eq!(super::next(), 2);
    }
}
