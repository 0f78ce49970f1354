"""The system prompt says what the rewards pay for, and a prompt becomes a chat."""

from __future__ import annotations

import pytest

from rewards import SYSTEM_PROMPT, chat_messages


@pytest.mark.parametrize(
    "told", ["```rust", "one", "#[cfg(test)]", "mod tests", "standard library", "main", "assert", "clippy"]
)
def test_the_system_prompt_tells_what_is_paid_for(told):
    assert told in SYSTEM_PROMPT


def test_a_chat_has_the_system_prompt_first_unless_it_is_empty():
    assert chat_messages("Write", "Rust") == [
        {"role": "system", "content": "Rust"},
        {"role": "user", "content": "Write"},
    ]
    assert chat_messages("Write", "") == [{"role": "user", "content": "Write"}]
