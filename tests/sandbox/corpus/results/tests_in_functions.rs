// Tests inside a function are never run; two attributes make two tests.
fn add(a: i32, b: i32) -> i32 {
    #[test]
    fn inside() {
        assert_eq!(add(1, 1), 3);
    }
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[test]
    fn twice() {
        assert_eq!(add(1, 2), 3);
    }
}
