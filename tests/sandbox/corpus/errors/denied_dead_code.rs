// Code that only the tests use, where dead code is denied.
#![deny(dead_code)]

fn used_by_tests(x: i32) -> i32 {
    x + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_one() {
        assert_eq!(used_by_tests(1), 2);
    }
}
