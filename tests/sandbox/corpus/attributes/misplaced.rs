// Attributes on items that they say nothing about.
#[inline]
struct Point {
    #[must_use]
    x: u8,
}

#[derive(Debug)]
fn f() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!(super::f(), 1);
    }
}
