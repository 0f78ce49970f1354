"""How far a run is, in words: which steps are next, or that all are done and what of the rest is missing."""

from __future__ import annotations

from grpo.training_loop import TrainingLoop

__all__ = ["describe_course"]


def describe_course(trainer: TrainingLoop, first_step: int, place: str = "") -> str:
    """What a session is going to do.

    Args:
        trainer: The run.
        first_step: The next one; 1 for a new run.
        place: Where a resumed run is in its prompts.
    """
    path, last, done = trainer.run.path, trainer.schedule.num_steps, first_step - 1
    if done < last:
        return f"{path}, steps {first_step} to {last}" + (f", from {place}" if done and place else "")
    missing = [] if trainer.evaluate is None or _is_evaluated(trainer, done) else ["the final evaluation"]
    missing += [name for name in ("summary.json", "report.html") if not (path / name).exists()]
    rest = f"what is missing ({', '.join(missing)}) is done now" if missing else "summary and report are written again"
    return (
        f"{path} is complete: {done} of {last} steps; {rest}. To train longer give train.max_steps={2 * done} or "
        "another number, or more train.epochs"
    )


def _is_evaluated(trainer: TrainingLoop, step: int) -> bool:
    """Whether the weights after a step were evaluated."""
    return any(line["step"] == step for line in trainer.run.evaluations())
