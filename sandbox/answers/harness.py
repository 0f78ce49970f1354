"""The Rust code that makes calls of a program and writes their values.

The harness of a program is a module inside it, so that it reaches private functions. What is common to all programs is
a library (`sandbox.rust_library`). Module and library have random names: a program cannot mean them, and no honest
program has them by chance.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from sandbox.answers.calls import PLAIN, Call, Calls, OwnType, Variant

__all__ = ["Harness", "main_function"]

LEVELS = ("Whole", "WithoutError", "WithoutValue", "Variant", "Nothing")  # traits of the library
REFERENCES = "&" * len(LEVELS)
OUR_LINTS = ("warnings", "unused", "nonstandard_style", "dead_code", "unused_imports")
ANY_LIFETIME = "'_"


class Harness:
    """The harness of one program."""

    def __init__(self, calls: Calls, word: str) -> None:
        """Keep what is called.

        Args:
            calls: The program and its calls.
            word: The random name under which the crate knows the library.
        """
        self._calls = calls
        self._word = word
        self.module = f"h{secrets.token_hex(8)}"

    def code(self) -> str:
        """The module, in which `run` makes all calls."""
        imports = "".join(f"use ::{self._word}::{level} as _;\n" for level in LEVELS)
        plain = f"use ::{self._word}::{PLAIN};\n" if self._hands_on() else ""
        numbers = {call: number for number, call in enumerate(dict.fromkeys(self._calls.calls))}
        functions = "".join(self._function(number, call) for call, number in numbers.items())
        asked = "".join(
            f"answers.ask({turn}, call_{numbers[call]}_{self._word});\n" for turn, call in enumerate(self._calls.calls)
        )
        return (
            f"\n{_allowed(self._calls.source)}\npub mod {self.module} {{\n"
            f"use ::{self._word}::std;\n{plain}{self._uses()}{imports}{functions}"
            f"pub fn run(mut answers: ::{self._word}::Answers) {{\n{asked}}}\n"
            f"mod types {{\n{imports}{''.join(map(self._implementation, self._calls.types))}}}\n}}\n"
        )

    def _hands_on(self) -> bool:
        """Whether a call has a value that must be of a standard type."""
        return any(PLAIN in text for call in self._calls.calls for text in call.texts)

    def _uses(self) -> str:
        return "".join(f"{use}\n" for use in self._calls.uses)

    def _function(self, number: int, call: Call) -> str:
        """The function that makes one call and writes its value. Equal calls share one, which runs several times."""
        word = self._word
        lines = [f'::{word}::open(out_{word}, "t");'] if call.watched else []
        for place, statement in enumerate(call.statements):
            lines.append(statement)
            lines += [self._sent(text, listed=True) for watched, text in call.watched if watched == place]
        lines.append(self._sent(call.value, listed=bool(call.watched)))
        lines += [f"::{word}::close(out_{word});"] if call.watched else []
        body = "".join(f"{line}\n" for line in lines if line)
        return f"fn call_{number}_{word}(out_{word}: &mut ::{word}::std::string::String) {{\n{body}}}\n"

    def _sent(self, value: str, *, listed: bool) -> str:
        """The statement that writes a value."""
        word = self._word
        comma = f"out_{word}.push(','); " if listed else ""
        return f"{comma}({REFERENCES}::{word}::Probe(&({value}))).send_for_answers(out_{word});"

    def _implementation(self, own: OwnType) -> str:
        """How a value of the program's own type is written: by its fields, through no code of the program."""
        word = self._word
        types = [f"T{place}" for place in range(own.parameters)]
        given = ", ".join([*own.lifetimes * [ANY_LIFETIME], *types])
        bounds = ", ".join(f"{name}: ::{word}::Wire" for name in types)
        kind = f"super::super::{own.name}{f'<{given}>' if given else ''}"
        arms = "".join(self._arm(own, variant) for variant in own.variants)
        return (
            f"impl<{bounds}> ::{word}::Wire for {kind} {{\n"
            f"fn wire_for_answers(&self, out: &mut ::{word}::std::string::String) {{\n"
            f"match *self {{\n{arms}}}\n}}\n}}\n"
        )

    def _arm(self, own: OwnType, variant: Variant) -> str:
        """The arm for one variant, or for a struct."""
        word = self._word
        bound = ", ".join(f"{name}: ref field_{place}" for place, name in enumerate(variant.fields))
        pattern = f"super::super::{own.name}{f'::{variant.name}' if own.is_enum else ''}"
        path = "::".join(name.removeprefix("r#") for name in (own.name, variant.name) if name)
        lines = [f'::{word}::constructor(out, "{"n" if variant.named else "k"}", "{path}");']
        for place, name in enumerate(variant.fields):
            value = f"({REFERENCES}::{word}::Probe(field_{place})).send_for_answers(out);"
            if variant.named:
                value = f'out.push_str("[\\"{name.removeprefix("r#")}\\","); {value} out.push(\']\');'
            lines.append(f"out.push(','); {value}")
        return f"{pattern} {{ {bound} }} => {{ {' '.join(lines)} ::{word}::close(out); }}\n"


def main_function(paths: Sequence[str], word: str) -> str:
    """The program's `main`.

    Args:
        paths: The modules of harnesses. The first argument at run time is the place of one of them, the second the file
            of answers.
        word: The random name of the library.
    """
    std = f"::{word}::std"  # a program can give the name `std` to another crate
    arms = "".join(f"{place} => {path}::run(answers),\n" for place, path in enumerate(paths))
    return (
        f"\nfn main() {{\nlet mut given = {std}::env::args().skip(1);\n"
        f"let number: {std}::primitive::usize = given.next().unwrap().parse().unwrap();\n"
        f"let answers = ::{word}::Answers::at(given.next().unwrap());\n"
        f"match number {{\n{arms}_ => {{}}\n}}\n}}\n"
    )


def _allowed(source: str) -> str:
    """The attribute that switches lints off in our code. It must not name a lint that the program forbids."""
    words = set(re.findall(r"\w+", source)) if "forbid" in source else set()
    lints = [name for name in OUR_LINTS if name not in words]
    return f"#[allow({', '.join(lints)})]" if lints else ""
