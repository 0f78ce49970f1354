"""Make the shipped tiny models from a seed.

Usage:
    python scripts/make_tiny_model.py [--formats | --next-edits] [--out FOLDER] [--steps N] [--seed N] [--threads N]

A quarter of an hour on two cores. It learns from demonstrations of the combinations that `make_dataset.py generate`
makes training prompts of, about half of them with a planted mistake, and from nothing else. With `--formats` it starts
from assets/tiny-rust, gets a layer more and learns to copy, and then from right answers to the tasks repair, patch,
next_edit and infill, for whose prompts it gets tokens of their own; a step takes two seconds of one core without
bfloat16 units. With `--next-edits` it goes on from assets/tiny-rust-tasks with right answers to next_edit alone, which
is the hardest of them. The steps decide the length, not a clock, so that one machine with one thread count makes the
same weights again.

Example:
    python scripts/make_tiny_model.py --out build/tiny --steps 100   # a quick, poor model to try things with
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import AutoTokenizer, GenerationConfig, Qwen2ForCausalLM, Qwen2Tokenizer

from tiny.tasks import Demonstration, demonstrations
from tiny.tokenizer import train_tokenizer
from tiny.warmstart import Encoded, batches, encode, make_model, train
from tiny_formats.copying import repeated_sequences
from tiny_formats.encoding import mixed_batches
from tiny_formats.preparing import prepare, prepare_next_edits

__all__ = ["imitate", "learn_formats", "learn_next_edits", "main", "save", "warm_start"]

MODEL, FORMATS_MODEL = Path("assets/tiny-rust"), Path("assets/tiny-rust-tasks")
NEXT_EDITS_MODEL = Path("assets/tiny-rust-next_edit")
SHIPPED = Path("assets/tasks")
BATCH_SIZE = 16  # demonstrations a step
MISTAKEN = 0.55  # share of demonstrations with a planted mistake
MAX_COMPLETION_TOKENS = 184  # longer demonstrations are dropped, so that 192 tokens suffice
STEPS, FORMATS_STEPS, NEXT_EDITS_STEPS = 2400, 1000, 250  # optimizer steps of the warm starts
COPYING_STEPS = 400  # that teach to copy, before those of the formats, and no more than these
TOKENIZER_TEXTS = 6000  # demonstrations that the tokenizer is learned from
SIZES = {"width": 256, "layers": 4, "heads": 8, "mlp": 704}
VOCAB_SIZE = 1024
MATRIX_LR, EMBEDDING_LR, VECTOR_LR = 0.02, 0.003, 0.03  # Muon; AdamW; AdamW for biases and norms


def warm_start(
    shown: list[Demonstration], *, steps: int, batch_size: int, sizes: dict[str, int], vocab_size: int, seed: int
) -> tuple[Qwen2ForCausalLM, Qwen2Tokenizer]:
    """Learn a tokenizer from the demonstrations, then train a new model to imitate them, with a progress bar."""
    texts = (text for item in shown[:TOKENIZER_TEXTS] for text in (item.prompt, item.completion))
    tokenizer = train_tokenizer(texts, vocab_size)
    encoded = encode(shown, tokenizer, max_completion_tokens=MAX_COMPLETION_TOKENS)
    model = make_model(tokenizer, **sizes, seed=seed)
    num_completion = sum(len(item.weights) for item in encoded) / len(encoded)
    num_prompt = sum(item.num_prompt for item in encoded) / len(encoded)
    print(
        f"{len(encoded)} demonstrations, on average {num_prompt:.0f} prompt and {num_completion:.0f} completion tokens"
    )
    imitate(model, batches(encoded, batch_size, seed), steps)
    return model, tokenizer


def learn_formats(
    start: Path, shipped: Path, *, steps: int, batch_size: int, seed: int
) -> tuple[Qwen2ForCausalLM, Qwen2Tokenizer, list[str]]:
    """Train a copy of a model to copy, then on right answers to all tasks; also texts to try its tokenizer with."""
    model, tokenizer, encoded, probe = prepare(start, shipped, steps * batch_size, seed=seed)
    num_tokens = sum(len(item.token_ids) for item in encoded) / len(encoded)
    print(f"{len(encoded)} demonstrations of {num_tokens:.0f} tokens on average, {len(tokenizer)} different ones")
    ordinary = sorted(set(range(len(tokenizer))) - {*tokenizer.all_special_ids})
    imitate(model, repeated_sequences(ordinary, seed=seed), min(COPYING_STEPS, steps), dtype=torch.float32)
    imitate(model, mixed_batches(encoded, batch_size, seed), steps, dtype=torch.float32, cooldown=0.0)
    return model, tokenizer, probe


def learn_next_edits(
    start: Path, shipped: Path, *, steps: int, batch_size: int, seed: int
) -> tuple[Qwen2ForCausalLM, Qwen2Tokenizer, list[str]]:
    """Train a copy of a model that knows the formats on right next edits; also texts to try its tokenizer with."""
    model, tokenizer, encoded, probe = prepare_next_edits(start, shipped, steps * batch_size, seed=seed + 1)
    imitate(model, mixed_batches(encoded, batch_size, seed), steps, dtype=torch.float32, cooldown=0.0)
    return model, tokenizer, probe


def imitate(
    model: Qwen2ForCausalLM,
    stream: Iterator[list[Encoded]],
    steps: int,
    *,
    dtype: torch.dtype = torch.bfloat16,
    cooldown: float = 0.5,
) -> None:
    """Train a model in place, with a progress bar."""
    print(f"{model.num_parameters():,} parameters, {steps} steps")
    with tqdm(total=steps, desc="warm start", unit="step") as bar:

        def report(step: int, loss: float) -> None:
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}")

        rates = {"matrix_lr": MATRIX_LR, "embedding_lr": EMBEDDING_LR, "vector_lr": VECTOR_LR}
        train(model, stream, steps=steps, **rates, report=report, dtype=dtype, cooldown=cooldown)


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
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--formats", action="store_true", help="teach assets/tiny-rust the formats of the other tasks")
    parser.add_argument("--next-edits", action="store_true", help="teach assets/tiny-rust-tasks more next edits")
    parser.add_argument("--out", type=Path, help="the model's folder (default: the shipped one)")
    parser.add_argument(
        "--steps",
        type=int,
        help=f"optimizer steps of the warm start (default: {STEPS}, with --formats {FORMATS_STEPS}, with --next-edits "
        f"{NEXT_EDITS_STEPS})",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides demonstrations and weights")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of torch; 0 = torch decides")
    options = parser.parse_args(argv)
    if options.formats and options.next_edits:
        parser.error("--formats and --next-edits make two models: give one of them")
    made, steps = (NEXT_EDITS_MODEL, NEXT_EDITS_STEPS) if options.next_edits else (MODEL, STEPS)
    made, steps = (FORMATS_MODEL, FORMATS_STEPS) if options.formats else (made, steps)
    options.out = options.out or made
    options.steps = steps if options.steps is None else options.steps
    if options.steps < 1:
        parser.error(f"--steps {options.steps}: give at least 1")
    if options.threads:
        torch.set_num_threads(options.threads)
    start, given = time.perf_counter(), {"steps": options.steps, "seed": options.seed}
    if options.formats:
        model, tokenizer, probe = learn_formats(MODEL, SHIPPED, **given, batch_size=BATCH_SIZE)
    elif options.next_edits:
        model, tokenizer, probe = learn_next_edits(FORMATS_MODEL, SHIPPED, **given, batch_size=BATCH_SIZE)
    else:
        examples = demonstrations(options.steps * BATCH_SIZE, mistaken=MISTAKEN, seed=options.seed)
        model, tokenizer = warm_start(examples, **given, batch_size=BATCH_SIZE, sizes=SIZES, vocab_size=VOCAB_SIZE)
        probe = [item.completion for item in examples[:200]]
    save(model, tokenizer, options.out, probe)
    print(f"{options.out}: made in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
