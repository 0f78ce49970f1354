"""What `{:?}` writes for a value, as far as messages of panics need it."""

from __future__ import annotations

from rewards.gold.terms import Term, show

__all__ = ["debug"]

ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\\": "\\\\"}


def debug(term: Term) -> str:
    """A value as a derived `Debug` writes it on one line.

    >>> debug(Term("constructor", "Side::West", (Term("str", "a"),)))
    'West("a")'
    """
    parts = [debug(part) for part in term.parts]
    match term.kind:
        case "str" | "char":
            quote = '"' if term.kind == "str" else "'"
            escapes = {**ESCAPES, quote: f"\\{quote}"}
            return quote + "".join(escapes.get(letter, letter) for letter in term.value) + quote
        case "float":
            return repr(term.value)
        case "seq":
            return f"[{', '.join(parts)}]"
        case "tuple":
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        case "constructor":
            name = str(term.value).split("::")[-1]
            if term.names:
                return f"{name} {{ {', '.join(f'{field}: {part}' for field, part in zip(term.names, parts))} }}"
            return name + (f"({', '.join(parts)})" if parts else "")
    return show(term)
