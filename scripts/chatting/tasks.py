"""Prompts of a recipe's data by their ids, with the gold tests in their rows."""

from __future__ import annotations

from difflib import get_close_matches

from chatting.state import prompt_of
from grpo.errors import BadInput
from grpo.rollout.records import Example
from grpo_rust.compose.prompts import check_gold, system_prompt_of
from grpo_rust.compose.signatures import read_examples
from grpo_rust.recipe import Recipe

__all__ = ["DataTasks", "own_prompt"]


class DataTasks:
    """The tasks of a recipe's data, `data.eval` before `data.train`; read when they are first asked for."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._sources = list(dict.fromkeys(filter(None, (recipe.data.eval, recipe.data.train))))
        self._read: dict[str, dict[str, Example]] = {}  # by source and id

    def find(self, name: str) -> Example:
        """The task of an id.

        Raises:
            BadInput: For an id that the data does not have, with those that are like it, and for data that cannot be
                used.
        """
        for source in self._sources:
            if found := self._tasks(source).get(name):
                check_gold(source, [found])
                return found
        known = [task for tasks in self._read.values() for task in tasks]
        near = get_close_matches(name, known, n=3) or known[:3]
        raise BadInput(f"{' and '.join(self._sources)} have no task {name}: there are {', '.join(near)}, ...")

    def search(self, words: str, most: int) -> list[Example]:
        """The first tasks of `data.eval` that have these words in their id or prompt. Raises: BadInput."""
        tasks = self._tasks(self._sources[0]).values()
        return [task for task in tasks if words.lower() in f"{task.id} {prompt_of(task)}".lower()][:most]

    def _tasks(self, source: str) -> dict[str, Example]:
        if source not in self._read:
            split = "test" if source == self._recipe.data.eval else "train"
            system = system_prompt_of(self._recipe)
            data = self._recipe.data
            examples = read_examples(
                source, split=split, system_prompt=system, show=data.show_signature, infill=data.infill
            )
            self._read[source] = {example.id: example for example in examples}
        return self._read[source]


def own_prompt(recipe: Recipe, text: str) -> Example:
    """A prompt that somebody typed, with the recipe's system prompt; it has no gold tests."""
    system = system_prompt_of(recipe)
    start = ({"role": "system", "content": system},) if system else ()
    return Example("typed", (*start, {"role": "user", "content": text}))
