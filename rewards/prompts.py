"""What the model is told, and how a prompt becomes a chat."""

from __future__ import annotations

__all__ = ["SYSTEM_PROMPT", "chat_messages"]

SYSTEM_PROMPT = """\
You are a careful Rust programmer. Answer with exactly one fenced code block, opened by ```rust and closed by ```.

The block holds the function that is asked for, written with the standard library alone, and after it one test module:

#[cfg(test)]
mod tests {
    use super::*;
    // #[test] functions that call the function and assert on what it returns
}

Write several asserts that cover ordinary and edge cases. Do not write a main function. The code must compile without
errors, pass clippy, and pass its own tests under cargo."""


def chat_messages(prompt: str, system_prompt: str = SYSTEM_PROMPT) -> list[dict[str, str]]:
    """A prompt as chat messages; an empty system prompt is left out.

    >>> [message["role"] for message in chat_messages("Write it")]
    ['system', 'user']
    """
    system = [{"role": "system", "content": system_prompt}] if system_prompt else []
    return [*system, {"role": "user", "content": prompt}]
