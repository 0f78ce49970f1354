"""Rust programs that several tests grade, their limits, and the facts that two verdicts must share."""

from sandbox.limits import Limits
from sandbox.verdict import Verdict

LIMITS = Limits(compile_cpu_s=20, run_cpu_s=2, wall_s=60)  # the same in several files, so that cargo is asked once
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


def facts(verdict: Verdict) -> tuple[object, ...]:
    """All that is equal for every backend. Messages' texts may differ: they name types with more or fewer modules."""
    where = {(found.level, found.code, found.line) for found in verdict.diagnostics}
    return (*(getattr(verdict, fact) for fact in FACTS), where)
