"""Rust programs that several tests grade."""

GOOD = """fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one() {
        assert_eq!(add(1, 2), 3);
    }

    #[test]
    fn two() {
        assert_eq!(add(2, 2), 4);
    }
}
"""


def in_test(body: str) -> str:
    """The good program with this as the body of its first test."""
    return GOOD.replace("assert_eq!(add(1, 2), 3);", body)
