"""Prints the parity table after the run: the largest error of every option that was compared."""

from __future__ import annotations

import pytest

from agreement import TABLE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per option of TRL: cases, relative error of the loss, of its gradients, of the advantages."""
    if not TABLE:
        return
    terminalreporter.section("parity with TRL: largest relative error")
    terminalreporter.line(f"{'option':<44} {'cases':>5} {'loss':>9} {'gradient':>9}")
    for option, rows in sorted(TABLE.items()):
        loss, gradient = (max(column) for column in zip(*rows, strict=True))
        terminalreporter.line(f"{option:<44} {len(rows):>5} {loss:>9.1e} {gradient:>9.1e}")
