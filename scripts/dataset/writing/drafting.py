"""The three passes for one prompt, one after the other: each answer is in the journal before it is used."""

from __future__ import annotations

import hashlib

from dataset.writing.answer_reading import read_asserts, read_code, read_prompt
from dataset.writing.drafts import Draft, Dropped
from dataset.writing.passes import PASSES, question
from dataset.writing.source_prompts import SourcePrompt
from remote_api.asking import Questioner
from remote_api.endpoint import Refused
from rewards.gold.rows import gold_problem

__all__ = ["write_draft"]

OF_ONE_PROMPT = (400, 413, 422)  # statuses that may be about one request alone, such as one that is too long


def write_draft(prompt: SourcePrompt, questioner: Questioner, *, min_asserts: int) -> Draft:
    """Ask for what the journal lacks.

    Args:
        prompt: In Python.
        questioner: Who is asked.
        min_asserts: So many the tests must have.
    Raises:
        Dropped: Where an answer cannot be used.
        As `Questioner.ask` otherwise.
    """
    tests = "\n".join(prompt.asserts) or "(none)"
    chain = _Chain(prompt.task_id, questioner)
    try:
        rust_prompt = read_prompt(chain.ask("rewrite", task=prompt.text, tests=tests))
        rust_code = read_code(chain.ask("code", rust_prompt=rust_prompt))
        answer = chain.ask("tests", rust_prompt=rust_prompt, rust_code=rust_code, tests=tests)
        draft = Draft(prompt.task_id, rust_prompt, rust_code, read_asserts(answer, at_least=min_asserts))
        if problem := gold_problem({"rust_test_list": draft.rust_test_list}):
            raise Dropped("tests", "asserts that cannot be used as gold tests", problem)
        return draft
    except Dropped:
        questioner.skip(len(PASSES) - chain.num_answers)
        raise


class _Chain:
    """Asks in the passes of one prompt, and counts the answers."""

    def __init__(self, task_id: str, questioner: Questioner) -> None:
        self.num_answers = 0
        self._task_id, self._questioner = task_id, questioner

    def ask(self, name: str, **parts: str) -> str:
        """The answer in a pass.

        Its name in the journal has a hash of what is asked: a row of the source that was changed is asked again, and
        an answer to another text is never used.
        """
        text = question(name, parts)
        slot = (self._task_id, name, hashlib.sha256(text.encode()).hexdigest()[:16])
        try:
            answer = self._questioner.ask(slot, [{"role": "user", "content": text}])
        except Refused as refused:
            if refused.status in OF_ONE_PROMPT and self._questioner.has_answers:
                raise Dropped(name, "the server refuses the request", str(refused)) from None
            raise
        self.num_answers += 1
        if answer.finish_reason == "length":
            raise Dropped(name, "the answer is cut off at the limit of tokens")
        return answer.text
