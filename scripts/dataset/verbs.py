"""What the verbs of `make_dataset.py` have in common: a parser with the verb's own text, sources, and their rows."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from dataset.sources import COLUMNS_READ, read_rows

__all__ = ["add_source_options", "read_sources", "verb_parser"]


def verb_parser(verb: str, text: str | None) -> argparse.ArgumentParser:
    """A parser whose help is a module's docstring."""
    return argparse.ArgumentParser(
        prog=f"make_dataset.py {verb}",
        description=(text or "").partition("\n")[0],
        epilog=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_source_options(parser: argparse.ArgumentParser, what: str, *, number: str | int = "+") -> None:
    """Add the sources, --split, --limit and --jobs to a verb's arguments.

    Args:
        parser: Of the verb.
        what: The sources are, for the help.
        number: Of sources, as argparse says it: "*" where there may be none.
    """
    parser.add_argument("sources", nargs=number, metavar="SOURCE", help=f"files, or hf:NAME, with {what}")
    parser.add_argument("--split", default="train", metavar="NAME", help="of hf:NAME")
    parser.add_argument("--limit", type=_at_least_0, default=0, metavar="N", help="read the first N rows; 0: all")
    parser.add_argument("--jobs", type=_at_least_0, default=0, metavar="N", help="processes at once; 0: one a core")


def read_sources(
    options: argparse.Namespace, *, columns: Collection[str] | None = COLUMNS_READ
) -> Iterator[Mapping[str, Any]]:
    """The rows of all sources, as many as the arguments of `add_source_options` ask for.

    Args:
        options: With these arguments.
        columns: As of `read_rows`.
    Raises: BadInput.
    """
    rows = chain.from_iterable(read_rows(one, options.split, columns=columns) for one in options.sources)
    return islice(rows, options.limit or None)


def _at_least_0(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: give 0 or more")
    return int(text)
