"""A user's own reward functions, as the rubric's tests load them."""

from __future__ import annotations

import sys
import threading

NOT_A_FUNCTION = 3


def length(*, completions, verdicts, task, **columns):
    """The length of each completion, doubled for the task "double"; None without a verdict."""
    texts = [completion[0]["content"] for completion in completions]
    facts = zip(texts, verdicts, task, strict=True)
    return [None if verdict is None else len(text) * (1 + (kind == "double")) for text, verdict, kind in facts]


async def later(completions, **columns):
    return [1.0 for _ in completions]


def broken(**columns):
    raise KeyError("no such column")


def short(completions, **columns):
    return [1.0]


def infinite(*, completions, **_):
    return [float("inf")] * len(completions)


def not_a_number(*, completions, **_):
    return [float("nan")] * len(completions)


def one_number(**_):
    return 0.5


def text(*, completions, **_):
    return "ab"


def words(*, completions, **_):
    return ["good"] * len(completions)


def hangs(**_):
    threading.Event().wait()


def leaves(**_):
    sys.exit(5)


def in_the_main_thread(*, completions, **_):
    return [float(threading.current_thread() is threading.main_thread())] * len(completions)


def digits(*, completions, **_):
    return ["1"] * len(completions)
