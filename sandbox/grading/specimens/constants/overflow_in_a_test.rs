// Only a test overflows: it builds, and its tests do not compile.
fn next(x: u8) -> u8 {
    x.wrapping_add(1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn wraps() {
        let top: u8 = 255;
        assert_eq!(super::next(top), top + 1);
    }
}
