"""Prompts of a recipe's data by their ids, with the gold tests in their rows."""

from __future__ import annotations

from difflib import get_close_matches

from chatting.state import prompt_of
from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.compose.prompts import check_gold, system_prompt_of
from grpo_rust.compose.signatures import read_examples
from grpo_rust.compose.sources import named_sources, with_unique_ids
from grpo_rust.recipe import Recipe

__all__ = ["DataTasks", "own_prompt"]


class DataTasks:
    """The tasks of a recipe's data, held-out ones before those to train on; read when they are first asked for."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._splits: dict[tuple[str, ...], str] = {}  # of sources that belong together, held-out ones first
        for sources, split in ((recipe.data.eval_sources(), "test"), (recipe.data.train_sources(), "train")):
            self._splits.setdefault(tuple(filter(None, sources)), split)
        self._splits.pop((), None)
        self._read: dict[tuple[str, ...], dict[str, Example]] = {}  # by sources and id

    def find(self, name: str) -> Example:
        """The task of an id.

        Raises:
            BadInput: For an id that the data does not have, with those that are like it, and for data that cannot be
                used.
        """
        for sources in self._splits:
            if found := self._tasks(sources).get(name):
                check_gold(named_sources(sources), [found])
                return found
        known = [task for tasks in self._read.values() for task in tasks]
        near = get_close_matches(name, known, n=3) or known[:3]
        places = " and ".join(map(named_sources, self._splits))
        raise BadInput(f"{places} have no task {name}: there are {', '.join(near)}, ...")

    def search(self, words: str, most: int) -> list[Example]:
        """The first held-out tasks that have these words in their id or prompt. Raises: BadInput."""
        tasks = self._tasks(next(iter(self._splits))).values()
        return [task for task in tasks if words.lower() in f"{task.id} {prompt_of(task)}".lower()][:most]

    def _tasks(self, sources: tuple[str, ...]) -> dict[str, Example]:
        if sources not in self._read:
            data, split = self._recipe.data, self._splits[sources]
            shown = {
                "system_prompt": system_prompt_of(self._recipe),
                "show": data.show_signature,
                "infill": data.infill,
            }
            found = with_unique_ids({one: read_examples(one, split=split, **shown) for one in sources})
            self._read[sources] = {example.id: example for examples in found.values() for example in examples}
        return self._read[sources]


def own_prompt(recipe: Recipe, text: str) -> Example:
    """A prompt that somebody typed, with the recipe's system prompt; it has no gold tests."""
    system = system_prompt_of(recipe)
    start = ({"role": "system", "content": system},) if system else ()
    return Example("typed", (*start, {"role": "user", "content": text}))
