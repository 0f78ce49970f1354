"""Every metric that a run logs, with its meaning and unit, in one table. `metrics.jsonl` holds nothing else.

docs/reference/metrics.md is made from the table (`python -m grpo.run.metrics` prints it as Markdown), and
`grpo.run.directory` refuses a key that is not in it. A name in angle brackets stands for a reward function, a check of
a grader, or a task.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["METRICS", "Metric", "explain", "markdown_table"]


class Metric(NamedTuple):
    """What one metric means, and its unit."""

    meaning: str
    unit: str


METRICS: dict[str, Metric] = {
    "reward/mean": Metric(
        "weighted sum of the rewards, mean over the completions that have one; where conversations have turns, all of "
        "reward/ and check/ is of those that are compared: the last ones, or with rollout.turn_credit=each every one",
        "reward",
    ),
    "reward/std": Metric("its sample standard deviation over the batch", "reward"),
    "reward/<function>": Metric("one reward function's unweighted mean over the completions it applies to", "reward"),
    "reward/unscored": Metric("completions without any reward: left out of the update", "count"),
    "check/<name>": Metric(
        "mean of one of the grader's checks over the completions for which it is known; `gold_applicable` is the share "
        "of completions without a signature in their prompt that gold tests apply to: `gold` counts these alone",
        "0..1 or count",
    ),
    "groups/total": Metric("groups (prompts) in the batch", "count"),
    "groups/zero_std": Metric(
        "share of zero_std groups: all their rewards are equal, so their advantages are zero", "0..1"
    ),
    "groups/rounds": Metric("rounds of fresh prompts that replaced zero_std groups", "count"),
    "groups/dropped_solved": Metric("groups replaced because every completion solves its prompt", "count"),
    "groups/dropped_unsolved": Metric("groups replaced because none does", "count"),
    "groups/dropped_equal": Metric("groups replaced because all are paid alike for other reasons", "count"),
    "groups/dropped_unscored": Metric("groups replaced because fewer than two completions have a reward", "count"),
    "prompts/solved": Metric(
        "prompts whose last group was solved (rollout.solved_above); rollout.solved_resample_prob sets them aside",
        "count",
    ),
    "prompts/zero_std": Metric(
        "prompts whose last group was zero_std; rollout.zero_std_resample_prob sets them aside", "count"
    ),
    "task/<task>/groups": Metric("where the prompts are of several tasks: groups of this task in the batch", "count"),
    "task/<task>/solved_prompts": Metric("prompts/solved of this task", "count"),
    "task/<task>/reward_mean": Metric("reward/mean of this task", "reward"),
    "task/<task>/reward/<function>": Metric("reward/<function> of this task", "reward"),
    "task/<task>/<name>": Metric("check/<name> of this task", "0..1 or count"),
    "advantage/std": Metric(
        "standard deviation of the advantages; over all tokens where rewards pay parts of a completion", "1"
    ),
    "completion/length_mean": Metric("tokens per completion, end-of-turn token included", "tokens"),
    "completion/length_max": Metric("the longest completion", "tokens"),
    "completion/truncated": Metric("share of completions that ran out of tokens before their end", "0..1"),
    "rollout/turns_mean": Metric(
        "completions of a conversation, mean; logged where rollout.turns is above 1, as are the next two", "completions"
    ),
    "rollout/solved_turn_<k>": Metric(
        "share of the conversations that are solved after k turns, or ended solved before; of those where it is known",
        "0..1",
    ),
    "rollout/crowded": Metric(
        "conversations that ended because another turn might not have fitted into rollout.max_conversation_tokens or "
        "the model's context",
        "count",
    ),
    "loss/total": Metric(
        "what is minimised, mean over the batch's updates: policy loss + beta * KL - entropy bonus; in fine-tuning the "
        "negative log-likelihood per token",
        "1",
    ),
    "loss/policy": Metric("the policy loss alone", "1"),
    "kl/reference": Metric(
        "estimate of KL(policy || reference) per token, before the update; absent when beta is 0", "nats"
    ),
    "policy/entropy": Metric(
        "entropy of the policy's next-token distribution at the sampling temperature, per token", "nats"
    ),
    "policy/ratio_max": Metric("largest importance ratio exp(logprob - old_logprob)", "1"),
    "policy/ratio_mean": Metric("mean importance ratio; 1 in expectation, whatever the policy is", "1"),
    "policy/clipped_low": Metric(
        "share of tokens with a negative advantage whose loss has no gradient: clipped", "0..1"
    ),
    "policy/clipped_high": Metric(
        "share of tokens with a positive advantage whose loss has no gradient: clipped", "0..1"
    ),
    "policy/masked": Metric(
        "share of tokens masked out of the policy loss: too far off policy, or of too low entropy", "0..1"
    ),
    "policy/sampler_gap": Metric(
        "mean |old_logprob - sampler_logprob|: the trainer's log-probs against the engine's", "nats"
    ),
    "policy/mismatch_weight": Metric(
        "mean correction weight of a token for the gap between trainer and engine; 1: no gap", "1"
    ),
    "policy/mismatch_dropped": Metric("share of tokens whose correction weight is 0", "0..1"),
    "policy/mismatch_bounded": Metric(
        "share of tokens whose correction weight is at loss.mismatch_high or _low", "0..1"
    ),
    "policy/staleness": Metric(
        "weight updates between a completion's sampling, its first token's, and its use, mean", "updates"
    ),
    "policy/stale": Metric(
        "completions left out: sampled from older weights than rollout.max_staleness allows", "count"
    ),
    "policy/token_staleness": Metric(
        "weight updates between a token's sampling and its use, mean; logged with rollout.partial, as are the next "
        "three",
        "updates",
    ),
    "policy/token_staleness_max": Metric("the largest of them", "updates"),
    "policy/older_tokens": Metric(
        "share of tokens that were sampled by older weights than those that learn from them", "0..1"
    ),
    "rollout/continued": Metric("share of completions that new weights went on with", "0..1"),
    "rollout/cut": Metric(
        "share of graded completions that rollout.deadline_s cut, those of replaced groups included; logged with it",
        "0..1",
    ),
    "optim/lr": Metric("learning rate of the batch's last update", "1"),
    "optim/grad_norm": Metric("global gradient norm before clipping, last update", "1"),
    "optim/updates": Metric("weight updates done since the start", "count"),
    "optim/loss_scale": Metric("float16: factor of the loss in the backward pass, after the batch", "1"),
    "optim/skipped": Metric("float16: optimizer steps of the batch left out because a gradient overflowed", "count"),
    "time/generate": Metric(
        "sampling the batch; grading runs at the same time; with rollout.partial from its first token to its last", "s"
    ),
    "time/wait_engine": Metric(
        "waiting for completions: time/generate, or the part of it that overlap does not hide; with rollout.partial "
        "also for the engine to stop where it is",
        "s",
    ),
    "time/wait_rewards": Metric("waiting for the last rewards after sampling ended", "s"),
    "time/sandbox": Metric("grading that ended in this step, the mean over the sandbox's workers", "s"),
    "time/train": Metric("the update: forward and backward passes, optimizer step", "s"),
    "time/sync": Metric("giving the engine new weights, and proving that it samples from them", "s"),
    "time/checkpoint": Metric(
        "standing still for the checkpoint before this step: its copy to memory, the grades of the batches in flight, "
        "and the rest of the write before it; the write itself goes on beside the training",
        "s",
    ),
    "sync/gap": Metric(
        "mean |engine's log-prob - trainer's| over the tokens of that proof; of several engines the largest", "nats"
    ),
    "engines/alive": Metric("with sampling.servers: servers that sample now", "count"),
    "engines/deaths": Metric("servers that died or were given up since the weights before", "count"),
    "engines/resampled": Metric("completions that others had to sample for them, from the same seeds", "count"),
    "sync/rounded": Metric(
        "LoRA in half precision: share of adapted weights that the engine gets as they were before training, since "
        "rounding loses their change; of every 16th row",
        "0..1",
    ),
    "idle/engine": Metric("share of the step in which the engine does not sample", "0..1"),
    "idle/sandbox": Metric("share of the step in which a worker of the sandbox does not grade", "0..1"),
    "idle/trainer": Metric("share of the step outside the update", "0..1"),
    "time/step": Metric("the whole step, checkpoint and evaluation not counted", "s"),
    "throughput/tokens_per_s": Metric(
        "tokens of the batch's completions per second of the step, zero_std groups included", "tokens/s"
    ),
    "throughput/completions_per_s": Metric("graded completions per second of the step", "1/s"),
    "memory/trainer": Metric(
        "resident memory of the trainer's process after the step; watch.enabled=false measures no memory",
        "MB",
    ),
    "memory/engine": Metric("of the engine's process, where it has one of its own, and of all below it", "MB"),
    "memory/workers": Metric("of the sandbox's workers together", "MB"),
    "memory/available": Metric("memory of the machine that programs can still take", "MB"),
    "time/eval": Metric("a whole evaluation; this and all below are in evals.jsonl", "s"),
    "eval/<name>": Metric("mean of a check over the evaluation's completions", "0..1 or count"),
    "eval/<name>_ci95": Metric("half width of its 95 % interval, clustered by prompt", "same"),
    "eval/pass_at_<k>": Metric("unbiased estimate that at least one of k completions solves its prompt", "0..1"),
    "eval/turns_mean": Metric(
        "completions of a conversation, mean; logged where rollout.turns is above 1. All other metrics but the next "
        "are of first completions",
        "completions",
    ),
    "eval/solved_turn_<k>": Metric(
        "share of the conversations that are solved after k turns, or ended solved before", "0..1"
    ),
    "eval/reward_mean": Metric(
        "mean weighted reward over the evaluation's completions; rewards `cross_*`, which compare groups, are not "
        "computed there",
        "reward",
    ),
    "eval/task/<task>/<name>": Metric(
        "where the held-out prompts are of several tasks: eval/<name> of this task, pass_at_<k> and reward_mean too",
        "as eval/<name>",
    ),
    "eval/task/<task>/<name>_ci95": Metric("half width of its 95 % interval, clustered by prompt", "same"),
}

# The most specific pattern first. A function's name may be a path, so it may hold anything.
_WILDCARDS = {"<function>": ".+", "<name>": r"[\w.:-]+", "<k>": r"\d+", "<task>": "[a-z][a-z0-9_-]*"}
_PATTERNS = [
    (re.compile("".join(_WILDCARDS.get(part, re.escape(part)) for part in re.split(r"(<\w+>)", key))), METRICS[key])
    for key in sorted(METRICS, key=len, reverse=True)
]


def explain(key: str) -> Metric:
    """The table's row for a logged key.

    Raises:
        KeyError: When the key is not in the table.

    >>> explain("check/build").unit
    '0..1 or count'
    """
    if key in METRICS:
        return METRICS[key]
    for pattern, metric in _PATTERNS:
        if pattern.fullmatch(key):
            return metric
    raise KeyError(f"metric {key!r} is not in grpo.run.metrics.METRICS: add a row that says what it means and its unit")


def markdown_table() -> str:
    """The table as Markdown, for the documentation."""
    rows = []
    for key, metric in METRICS.items():
        cells = [text.replace("|", r"\|") for text in (f"`{key}`", metric.meaning, metric.unit)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(["| metric | meaning | unit |", "|---|---|---|", *rows])


if __name__ == "__main__":
    print(markdown_table())
