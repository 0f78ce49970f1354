"""Make the shipped task set and the shipped tiny model from a seed.

    python scripts/make_tiny_model.py                                  # both, about ten minutes on two cores
    python scripts/make_tiny_model.py --tasks-only --tasks build/tasks # only the prompts, seconds
    python scripts/make_tiny_model.py --out build/tiny --steps 100     # a quick, poor model to try things with

The steps decide the length, not a clock, so that one machine with one thread count makes the same weights again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import AutoTokenizer, GenerationConfig, Qwen2ForCausalLM, Qwen2Tokenizer

from tiny.operations import OPERATIONS, combinations
from tiny.tasks import demonstrations, drills, make_tasks, write_jsonl
from tiny.tokenizer import train_tokenizer
from tiny.warmstart import Encoded, batches, encode, encode_drills, make_model, train

__all__ = ["Schedule", "main", "plan", "save", "warm_start", "write_tasks"]

NUM_TRAIN, NUM_EVAL = 3000, 300  # prompts
BATCH_SIZE = 8  # texts a step
MISTAKEN = 0.5  # share of demonstrations with a planted mistake
MAX_ANSWER_TOKENS = 184  # longer demonstrations are left out, so that 192 tokens are enough to answer
MAX_DRILL_TOKENS = 320
SIZES = {"width": 256, "layers": 4, "heads": 8, "mlp": 704}
VOCAB_SIZE = 1024
LEARNING_RATES = {"matrix_lr": 0.02, "embedding_lr": 0.01, "vector_lr": 0.03}


class Schedule(NamedTuple):
    """How many steps of each kind, in this order."""

    copying: int
    drills: int
    demonstrations: int

    @property
    def total(self) -> int:
        return sum(self)


def plan(steps: int) -> Schedule:
    """The steps divided: an eighth for copying drills, three eighths for all drills, half for demonstrations.

    >>> plan(2000)
    Schedule(copying=250, drills=750, demonstrations=1000)
    """
    return Schedule(steps // 8, steps // 2 - steps // 8, steps - steps // 2)


def write_tasks(folder: Path, seed: int) -> None:
    """Write `train.jsonl` and `eval.jsonl` into the folder and say how much that is."""
    for name, count, held_out in (("train", NUM_TRAIN, False), ("eval", NUM_EVAL, True)):
        tasks = make_tasks(count, held_out=held_out, seed=seed)
        write_jsonl(tasks, folder / f"{name}.jsonl")
        pairs = len({(task.operation, task.element) for task in tasks})
        print(f"{folder / name}.jsonl: {len(tasks)} prompts, {pairs} combinations of operation and element type")


def warm_start(
    schedule: Schedule, *, batch_size: int, sizes: dict[str, int], vocab_size: int, seed: int
) -> tuple[Qwen2ForCausalLM, Qwen2Tokenizer]:
    """Learn a tokenizer, then train a new model on copying drills, all drills, and demonstrations in turn."""
    shown = demonstrations(schedule.demonstrations * batch_size, mistaken=MISTAKEN, seed=seed)
    tokenizer = train_tokenizer((text for item in shown for text in (item.prompt, item.answer)), vocab_size)
    encoded = encode(shown, tokenizer, max_answer_tokens=MAX_ANSWER_TOKENS)
    model = make_model(tokenizer, **sizes, seed=seed)
    num_answer = sum(len(item.token_ids) - item.num_prompt for item in encoded) / len(encoded)
    num_prompt = sum(item.num_prompt for item in encoded) / len(encoded)
    print(f"{len(encoded)} demonstrations, on average {num_prompt:.0f} prompt and {num_answer:.0f} answer tokens")
    print(f"{model.num_parameters():,} parameters, steps of {batch_size} texts: {schedule}")
    stream = chain(
        _drill_batches(schedule.copying, True, tokenizer, batch_size, seed),
        _drill_batches(schedule.drills, False, tokenizer, batch_size, seed),
        batches(encoded, batch_size, seed),
    )
    with tqdm(total=schedule.total, desc="warm start", unit="step") as bar:

        def report(step: int, loss: float) -> None:
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}")

        train(model, stream, steps=schedule.total, **LEARNING_RATES, report=report)
    return model, tokenizer


def _drill_batches(
    steps: int, copying: bool, tokenizer: Qwen2Tokenizer, batch_size: int, seed: int
) -> Iterator[list[Encoded]]:
    """As many batches of drills as steps."""
    if steps:
        texts = drills(steps * batch_size, copying=copying, seed=seed)
        yield from islice(
            batches(encode_drills(texts, tokenizer, max_tokens=MAX_DRILL_TOKENS), batch_size, seed), steps
        )


def save(model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer, folder: Path, probe: Sequence[str]) -> None:
    """Write a Hugging Face checkpoint with weights rounded to bfloat16, and check that it tokenizes as it learned to.

    Raises:
        RuntimeError: a loader of the saved folder encodes one of the `probe` texts unlike the trained tokenizer.
    """
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model.bfloat16().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    loaded = AutoTokenizer.from_pretrained(folder)
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in probe:
        wanted = tokenizer(text)["input_ids"]
        if loaded(text)["input_ids"] != wanted or plain.encode(text).ids != wanted:
            raise RuntimeError(
                f"the tokenizer saved in {folder} encodes {text!r} unlike the trained one; do not ship it"
            )


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments, make what they ask for, say what was made."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("assets/tiny-rust"), help="the model's folder")
    parser.add_argument("--tasks", type=Path, default=Path("assets/tasks"), help="the folder of train and eval.jsonl")
    parser.add_argument("--steps", type=int, default=2000, help="optimizer steps of the warm start")
    parser.add_argument("--seed", type=int, default=0, help="decides tasks, demonstrations and weights")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of torch; 0 = torch decides")
    parser.add_argument("--tasks-only", action="store_true", help="make no model")
    options = parser.parse_args(argv)
    if options.steps < 1:
        parser.error(f"--steps {options.steps}: give at least 1, or --tasks-only to make no model")
    held_out, shown = combinations(held_out=True), combinations(held_out=False)
    print(f"{len(OPERATIONS)} operations: {len(shown)} combinations to learn from, {len(held_out)} held out")
    write_tasks(options.tasks, options.seed)
    if options.tasks_only:
        return
    if options.threads:
        torch.set_num_threads(options.threads)
    start = time.perf_counter()
    model, tokenizer = warm_start(
        plan(options.steps), batch_size=BATCH_SIZE, sizes=SIZES, vocab_size=VOCAB_SIZE, seed=options.seed
    )
    save(model, tokenizer, options.out, drills(100, copying=False, seed=options.seed))
    print(f"{options.out}: made in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
