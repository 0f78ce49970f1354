"""The system prompt says what the rewards pay for."""

from __future__ import annotations

import pytest

from rewards import SYSTEM_PROMPT


@pytest.mark.parametrize(
    "told", ["```rust", "one", "#[cfg(test)]", "mod tests", "standard library", "main", "assert", "clippy"]
)
def test_the_system_prompt_tells_what_is_paid_for(told):
    assert told in SYSTEM_PROMPT
