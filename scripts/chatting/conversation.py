"""The loop of a conversation: an entry, the completions, what they are worth, the next entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatting.commands import Then, obey
from chatting.entry import Entries
from chatting.judging import ChatJudge
from chatting.showing import Paint, answer_text, rewards_text, summary_text
from chatting.state import ChatState, Sampler
from chatting.tasks import DataTasks, own_prompt
from grpo.errors import BadInput
from grpo_rust.recipe import Recipe
from remote_api.endpoint import EndpointFailed
from sandbox.terminal import plain

__all__ = ["converse"]

ERASE = "\r\x1b[K"  # the line that the cursor is in


def converse(recipe: Recipe, sampler: Sampler, judge: ChatJudge, entries: Entries, paint: Paint) -> None:
    """Answer entries until there are no more.

    On a terminal what cannot be done is said, Ctrl-C stops an answer, and the conversation goes on.

    Args:
        recipe: The settings.
        sampler: Answers prompts.
        judge: Says what answers are worth.
        entries: What is typed.
        paint: Colours, or none.
    Raises:
        BadInput: For an entry from a pipe that cannot be done.
        EndpointFailed: Where an API does not answer one.
    """
    state = ChatState(recipe.eval.temperature, recipe.eval.top_p, recipe.sampling.max_completion_tokens)
    tasks, seed = DataTasks(recipe), recipe.eval.seed
    print(f"{recipe.model.path}: {state}. :help says what can be typed.")
    while True:
        try:
            entry = entries.read()
            if entry is None:
                return
            if not entries.from_terminal:
                print(f"\n> {plain(entry)}")
            then = _understood(entry, recipe, state, tasks)
            if then is Then.END:
                return
            if then is Then.ASK:
                _answer(state, sampler, judge, seed, paint)
                seed += 1
        except (BadInput, EndpointFailed) as error:
            if not entries.from_terminal:
                raise
            print(paint(plain(str(error)), "red"), flush=True)
        except KeyboardInterrupt:
            if not entries.from_terminal:
                raise
            print(paint("\nstopped; Ctrl-D or :quit ends", "dim"), flush=True)


def _understood(entry: str, recipe: Recipe, state: ChatState, tasks: DataTasks) -> Then:
    """Take an entry as a command, a prompt, or the wish to ask again. Raises: BadInput."""
    if entry.startswith(":"):
        said, then = obey(entry, state, tasks)
        if said:
            print(plain(said))
        return then
    if entry:
        state.example = own_prompt(recipe, entry)
    return Then.ASK if state.example is not None else Then.READ


def _answer(state: ChatState, sampler: Sampler, judge: ChatJudge, seed: int, paint: Paint) -> None:
    """Ask, judge and show. Raises: BadInput."""
    assert state.example is not None
    asked, found = [], []
    try:
        with _waiting("sampling", paint):
            for answer in sampler(state.example, state, seed):
                asked.append((answer, judge.start(state.example, answer.text)))
        for _, pending in asked:
            with _waiting("cargo", paint):
                found.append(judge.finish(pending))
    finally:
        for _, pending in asked[len(found) :]:
            judge.cancel(pending)
    for number, ((answer, _), judged) in enumerate(zip(asked, found, strict=True), 1):
        if state.samples > 1:
            print(paint(f"\n--- sample {number} of {state.samples}", "bold"))
        print("\n" + answer_text(answer, judged, paint))
        print("\n" + rewards_text(judged.scores, judge.rubric.weights, paint), flush=True)
    if len(found) > 1:
        print("\n" + paint(summary_text(found, judge.rubric.weights), "bold"), flush=True)


@contextmanager
def _waiting(what: str, paint: Paint) -> Iterator[None]:
    """Say what is waited for, on a terminal, until it is there."""
    if paint.on:
        print(paint(f"{what} ...", "dim"), end="\r", flush=True)
    try:
        yield
    finally:
        if paint.on:
            print(ERASE, end="", flush=True)
