"""The process that answers prompts for the dashboard: samples from a checkpoint, grades, and writes lines of JSON.

Usage:
    python -m dashboard_app.asking.answering MODEL [RECIPE.toml] [section.key=value ...]

It reads one request a line, `{"prompt": ..., "samples": 1, "temperature": 1.0, "seed": 1}`, and writes
`{"ready": true}` once the model is loaded, one record a completion, as `completions.jsonl` has it with the reasons of
its rewards, and `{"done": true}`; what cannot be done is `{"error": ...}`. It ends with its input. Settings are those
of scripts/chat.py.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from evaluating.arguments import read_words
from grpo.errors import BadInput
from grpo_rust.cli import ExitCode, command
from grpo_rust.recipe import Recipe
from grpo_rust.sandbox_pool import start_pool

# torch and transformers are imported inside functions: the sandbox's workers start first, and start small.


@command("answering", host_errors=(OSError,))
def main(argv: Sequence[str] | None = None) -> int:
    """Answer until the input ends; the exit code."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    models, recipe = read_words(sys.argv[1:] if argv is None else argv)
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, path=models[0].path))
    with start_pool(recipe) as pool:
        from chatting.judging import ChatJudge
        from chatting.samplers import local_sampler

        judge = ChatJudge(recipe, pool)
        with local_sampler(recipe) as sampler:
            _write(answers, {"ready": True})
            for line in sys.stdin:
                try:
                    for record in _answered(recipe, sampler, judge, json.loads(line)):
                        _write(answers, record)
                    _write(answers, {"done": True})
                except BadInput as error:
                    _write(answers, {"error": str(error)})
    return ExitCode.DONE


def _answered(recipe: Recipe, sampler: Any, judge: Any, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The completions to one request, graded. Raises: BadInput."""
    from chatting.state import ChatState
    from chatting.tasks import own_prompt
    from rewards.score_table import total_score

    example = own_prompt(recipe, request["prompt"])
    most = recipe.sampling.max_completion_tokens
    state = ChatState(request["temperature"], recipe.eval.top_p, most, request["samples"])
    asked = [(answer, judge.start(example, answer.text)) for answer in sampler(example, state, request["seed"])]
    for number, (answer, pending) in enumerate(asked):
        judged = judge.finish(pending)
        graded = judged.graded
        verdict = graded.verdict.to_json() if graded.verdict is not None else {}
        yield {
            "id": f"typed-c{number}",
            "step": 0,
            "phase": "typed",
            "task_id": "typed",
            "prompt": request["prompt"],
            "text": answer.text,
            "terminated": not answer.truncated,
            "num_tokens": answer.num_tokens,
            "reward": total_score(judged.scores, judge.rubric.weights),
            "rewards": {name: score.value for name, score in judged.scores.items()},
            "reasons": {name: score.reason for name, score in judged.scores.items()},
            "checks": {"test_strict": float(graded.judgement.strict)},
            "verdict": verdict | {"code": graded.code, "strict_reason": graded.judgement.reason},
        }


def _write(answers: TextIO, record: dict[str, Any]) -> None:
    """One line, at once."""
    answers.write(json.dumps(record) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
