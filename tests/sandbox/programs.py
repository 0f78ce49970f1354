"""Rust programs that several tests grade, and what they compare."""

from sandbox.verdict import Verdict

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


FACTS = "outcome build clippy test genuine passed failed ignored warnings".split()


def told(verdict: Verdict) -> tuple[object, ...]:
    """All that every path must say alike: not messages' words, in which a type's path may be longer or shorter."""
    where = {(found.level, found.code, found.line) for found in verdict.diagnostics}
    return (*(getattr(verdict, fact) for fact in FACTS), where)
