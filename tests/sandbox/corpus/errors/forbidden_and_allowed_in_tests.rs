// Forbids a lint and allows it again in the tests.
#![forbid(unsafe_code)]

fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }
}
