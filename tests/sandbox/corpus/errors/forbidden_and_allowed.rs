// Forbids a lint and allows it again: that is an error, though nothing unsafe is there.
#![forbid(unsafe_code)]

#[allow(unsafe_code)]
fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }
}
