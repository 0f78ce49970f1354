"""The words by which a prompt shows a signature: one wording, whatever the data comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["code_words", "prompt_text", "shows", "with_signature"]

STANDARD: Mapping[str, tuple[str, ...]] = {  # names of the standard library that are not there without an import
    "std::collections": ("BTreeMap", "BTreeSet", "BinaryHeap", "HashMap", "HashSet", "LinkedList", "VecDeque"),
    "std::rc": ("Rc",),
    "std::sync": ("Arc", "Mutex", "RwLock"),
    "std::cell": ("Cell", "RefCell"),
    "std::cmp": ("Ordering", "Reverse"),
    "std::borrow": ("Cow",),
    "std::hash": ("Hash",),
    "std::fmt": ("Debug", "Display"),
    "std::time": ("Duration",),
    "std::any": ("Any",),
}
WORD = re.compile(r"(?<!::)\b[A-Z]\w*")  # a type or a trait, unless a path says where it is from
DEFINED = re.compile(r"\b(?:struct|enum|union|trait|type)\s+(\w+)")
DERIVED = re.compile(r"#\[[^\]]*\]")
FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\s](?:[^`\n]*[^`\s])?)`")
NAME = re.compile(r"[^\W\d]\w*")
FENCE = "\n\n```rust\n{}\n```"


def with_signature(task: str, signature: str, types: str = "") -> str:
    """A task with the signature that is asked for.

    Args:
        task: What is asked for, in English.
        signature: One function or `impl` a line, without bodies.
        types: The program's own types that the signature needs, in Rust; "" for none.

    >>> with_signature("Count words.", "fn count(text: &str) -> HashMap<String, usize>").removeprefix("Count words. ")
    'It has the signature `fn count(text: &str) -> HashMap<String, usize>`, with `HashMap` of `std::collections`.'
    """
    lines, needed = signature.splitlines(), _imports(signature, types)
    if len(lines) == 1 and not lines[0].startswith("impl"):
        sentence = f"It has the signature `{signature}`" + (f", with {needed}." if needed else ".")
    else:
        shown = "\n".join(line if line.endswith("}") else f"{line};" for line in lines)
        sentence = f"It has these signatures{f', with {needed}' if needed else ''}:{FENCE.format(shown)}"
    if types:
        gap = " " if sentence.endswith(".") else "\n\n"
        sentence += f"{gap}It uses these types, which you define:{FENCE.format(types)}"
    return task + ("\n\n" if "\n" in task else " ") + sentence


def prompt_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that a prompt says."""
    return "\n".join(str(message.get("content", "")) for message in messages)


def code_words(prompt: str | Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The names that a prompt writes as code: in fenced blocks, and between backticks within a line.

    Args:
        prompt: Text, or chat messages, of which those of users count.

    >>> sorted(code_words("Write `fn add(a: u8) -> u8` that adds 1."))
    ['a', 'add', 'fn', 'u8']
    """
    users = [prompt] if isinstance(prompt, str) else [one.get("content") for one in prompt if one.get("role") == "user"]
    text = "\n".join(map(str, users))
    found = [*FENCED.findall(text), *INLINE.findall(FENCED.sub("", text))]
    return frozenset(word for code in found for word in NAME.findall(code))


def shows(prompt: str, signature: str) -> bool:
    """Whether a prompt has every line of a signature in it, whatever the white space between.

    >>> shows("Write `fn  f() -> u8`.", "fn f() -> u8"), shows("Write f.", "fn f() -> u8")
    (True, False)
    """
    text = " ".join(prompt.split())
    return all(" ".join(line.split()) in text for line in signature.splitlines())


def _imports(signature: str, types: str) -> str:
    """The names of the standard library that have to be imported, with their modules."""
    words = set(WORD.findall(signature + DERIVED.sub("", types))) - set(DEFINED.findall(types))
    found = []
    for module, names in STANDARD.items():
        if needed := [f"`{name}`" for name in names if name in words]:
            found.append(f"{' and '.join(needed)} of `{module}`")
    return ", ".join(found)
