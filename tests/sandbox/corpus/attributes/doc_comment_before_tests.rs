// A doc comment with an empty line after it, on the test module: a lint of test builds only.
fn add(a: u8, b: u8) -> u8 {
    a.wrapping_add(b)
}

/// Tests of `add`.

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 2), 3);
    }
}
