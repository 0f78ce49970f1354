// A statement for tests only hides an overflow: it does not build, and its tests pass.
fn next() -> u8 {
    let x: u8 = 255;
    #[cfg(test)]
    let x: u8 = 1;
    x + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn two() {
        assert_eq!(super::next(), 2);
    }
}
