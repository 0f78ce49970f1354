"""The settings of the algorithm: one frozen section per subject, every default with its source.

Settings stop at the door: the functions of this folder take flat arguments, and only the script that composes a run
reads these. The sections of rewards and sandbox live with whoever composes the three. `grpo.schema` reads and checks.

"Published recipe" is the GRPO run of Oxen.ai that taught Qwen2.5-Coder-1.5B-Instruct Rust with cargo's feedback;
"prototype" is a trial of the shipped model's size on two cores, one seed per setting.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from grpo.schema import option

__all__ = [
    "CheckpointSection",
    "DataSection",
    "EvalSection",
    "LogSection",
    "LoraSection",
    "LossSection",
    "ModelSection",
    "RolloutSection",
    "RunSection",
    "SamplingSection",
    "TrainSection",
]

PUBLISHED = "published recipe"
PROTOTYPE = "prototype"
TRL = "TRL 1.16"
LOSS_NAMES = ("grpo", "bnpo", "dr_grpo", "dapo", "gspo", "gspo_token", "luspo", "cispo", "sapo", "vespo")  # `grpo.loss`
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class RunSection:
    """The run: its name, its directory, its seed."""

    name: str = option("", "name of the run; empty: the directory's name, else recipe and time of day")
    dir: str = option("", "run directory, must not exist yet; empty: runs/<name>")
    seed: int = option(0, "seed of prompt order and sampling", low=0, high=2**31 - 1)
    resume: bool = option(False, "continue the run in run.dir after its last checkpoint")

    def conflicts(self) -> list[str]:
        """A name that is no file name; nothing to resume."""
        found = []
        if self.name and not SAFE_NAME.fullmatch(self.name):
            found.append(
                f"run.name = {self.name!r}: only letters, digits and . _ + - (not first) make a directory's name"
            )
        if self.resume and not (self.dir or self.name):
            found.append("run.resume = true: say which run with run.dir or run.name")
        return found


@dataclass(frozen=True)
class ModelSection:
    """The policy to start from."""

    path: str = option("assets/tiny-rust", "Hugging Face checkpoint directory, or the name of one on the hub")
    dtype: str = option(
        "float32",
        "type of the matrix products; parameters and Adam's moments are float32 whatever it says",
        choices=("float32", "bfloat16"),
        source="float32 is exact and fastest on CPUs without bfloat16 units",
    )


@dataclass(frozen=True)
class LoraSection:
    """Thin matrices that are trained in place of the model."""

    rank: int = option(0, "rank of the matrices; 0: no LoRA, all weights are trained", low=0, high=4096)
    alpha: int = option(64, "their product counts alpha / rank", low=1, high=100_000, source=PUBLISHED)
    targets: str = option(
        "all-linear",
        "all linear layers but the head, or names of layers, separated by commas: q_proj,v_proj",
        source=PUBLISHED,
    )


@dataclass(frozen=True)
class DataSection:
    """The prompts to train and to evaluate on."""

    train: str = option("assets/tasks/train.jsonl", "training prompts: a .jsonl or .parquet path, or hf:NAME")
    eval: str = option("assets/tasks/eval.jsonl", "evaluation prompts, none of them trained on: same forms")
    system_prompt: str = option(
        "none", "system message before every prompt: none, or how to completion in Rust", choices=("none", "rust")
    )
    max_prompt_tokens: int = option(
        256, "longest prompt, chat template included", unit="tokens", low=1, high=1_000_000, source=PUBLISHED
    )
    long_prompts: str = option(
        "error", "what a longer prompt does: stop with an error, or be left out", choices=("error", "skip")
    )


@dataclass(frozen=True)
class SamplingSection:
    """How training completions are sampled."""

    engine: str = option(
        "hf",
        "what samples: hf is transformers with the training weights, and paged on a GPU; paged is its continuous "
        "batching, vllm is faster: both have weights of their own",
        choices=("hf", "paged", "vllm"),
    )
    own_process: bool = option(True, "vllm, paged: run in a process of its own, where it can sample beside the trainer")
    sleep: bool = option(
        False, "vllm on a GPU: give weights and cache back during every update; needs rollout.overlap = 0"
    )
    kv_cache_gb: float = option(
        0.0, "vllm: size of its cache; 0: what a batch of the longest completions needs", unit="GB", low=0, high=10_000
    )
    max_sync_gap: float = option(
        0.0,
        "vllm, paged: highest mean difference of its log-probs from the trainer's after new weights; higher stops "
        "the run; 0: 1e-4 in float32, 0.02 in bfloat16",
        unit="nats a token",
        low=0,
        source="measured: 2e-6 and 4e-4",
    )
    group_size: int = option(8, "completions to every prompt, G", unit="completions", low=2, high=4096, source=TRL)
    temperature: float = option(
        1.0, "sampling temperature, T; the loss reads log-probabilities at the same T", low=0.01, high=10, source=TRL
    )
    max_completion_tokens: int = option(
        192,
        "longest completion, end-of-turn token included",
        unit="tokens",
        low=1,
        high=1_000_000,
        source=f"{PROTOTYPE}: the shipped tasks need 76 on average",
    )


@dataclass(frozen=True)
class RolloutSection:
    """Which completions a step learns from."""

    overlap: int = option(
        0, "batches sampled ahead; 0: every batch by the weights that learn from it", unit="batches", low=0, high=64
    )
    max_staleness: int = option(
        0,
        "completions sampled from weights more updates old are left out; 0: none are, overlap bounds their age anyway",
        unit="updates",
        low=0,
    )
    refill_rounds: int = option(
        0,
        "how often groups whose completions all earned the same are replaced by fresh prompts, before the update; sampling "
        "ahead waits for them",
        unit="rounds",
        low=0,
        high=100,
        source="DAPO: until the batch is full",
    )
    zero_std_resample_prob: float = option(
        1.0,
        "chance that a prompt whose group earned all the same when last seen is drawn when its turn comes again",
        low=0.01,
        high=1,
    )


@dataclass(frozen=True)
class TrainSection:
    """How long, how fast and on what the policy learns."""

    device: str = option(
        "auto", "where the model lives; auto takes CUDA where there is one", choices=("auto", "cpu", "cuda")
    )
    threads: int = option(
        0,
        "CPU threads of torch; 0: all cores while weights are updated, all but one while the sandbox needs one",
        unit="threads",
        low=0,
        high=4096,
    )
    max_steps: int = option(0, "steps to train; 0: as many as train.epochs takes", unit="steps", low=0)
    epochs: float = option(
        1.0, "passes over the training prompts, where train.max_steps is 0", low=0.0001, high=10_000, source=PUBLISHED
    )
    prompts_per_step: int = option(
        16,
        "prompts in a batch; each gets sampling.group_size completions",
        unit="prompts",
        low=1,
        high=100_000,
        source=PROTOTYPE,
    )
    lr: float = option(
        3e-4, "peak learning rate of AdamW", low=1e-9, high=1, source=f"{PROTOTYPE}: 1e-4 learned 2 to 3 times slower"
    )
    adam_beta1: float = option(0.9, "AdamW: decay of the gradient's mean", low=0, high=0.999999, source=PUBLISHED)
    adam_beta2: float = option(
        0.99, "AdamW: decay of the squared gradient's mean", low=0, high=0.999999, source=PUBLISHED
    )
    weight_decay: float = option(
        0.1, "AdamW: decoupled weight decay, on matrices only", low=0, high=10, source=PUBLISHED
    )
    warmup_fraction: float = option(
        0.1, "share of all updates over which the learning rate rises", low=0, high=1, source=PUBLISHED
    )
    schedule: str = option(
        "cosine", "the learning rate after warm-up", choices=("constant", "linear", "cosine"), source=PUBLISHED
    )
    min_lr_fraction: float = option(
        0.0, "where the schedule ends, as a share of train.lr", low=0, high=1, source=PUBLISHED
    )
    max_grad_norm: float = option(
        1.0, "global gradient norm above which gradients are scaled down", low=1e-6, high=1e6, source=TRL
    )
    num_iterations: int = option(1, "passes over every batch", unit="passes", low=1, high=1000, source=TRL)
    num_minibatches: int = option(
        1, "shares a pass is cut into, one update of the weights each", unit="updates", low=1, high=10_000, source=TRL
    )
    micro_batch_tokens: int = option(
        8192,
        "tokens in one forward and backward pass, a shared prompt counted once; changes memory and speed, no result",
        unit="tokens",
        low=1,
        high=100_000_000,
    )
    gradient_checkpointing: bool = option(
        False, "compute the activations inside layers again in the backward pass: less memory, more time"
    )
    skip_zero_std: bool = option(True, "leave out groups whose completions all earned the same: their gradient is zero")

    def num_steps(self, num_prompts: int) -> int:
        """Steps of a run over a training set: `max_steps`, or `ceil(num_prompts * epochs / prompts_per_step)`.

        >>> TrainSection(epochs=2.0, prompts_per_step=16).num_steps(100)
        13
        """
        return self.max_steps or max(1, math.ceil(round(num_prompts * self.epochs, 6) / self.prompts_per_step))


@dataclass(frozen=True)
class LossSection:
    """What is minimised."""

    name: str = option(
        "dapo",
        f"a published loss ({', '.join(LOSS_NAMES)}), or your own: package.module:function or path/to/file.py:function",
        source=TRL,
    )
    aggregation: str = option(
        "published",
        "how tokens are averaged: as the loss was published, over all tokens (DAPO), over each completion's mean (GRPO), "
        "over a constant length (Dr. GRPO), or summed in each completion (LUSPO)",
        choices=("published", "token", "sequence", "constant", "sum"),
    )
    clip_low: float = option(0.2, "the ratio's lower bound is 1 - clip_low", low=0, high=1, source=TRL)
    clip_high: float = option(
        0.2,
        "the ratio's upper bound is 1 + clip_high; gspo and luspo want both bounds near 3e-4",
        low=0,
        high=100,
        source=TRL,
    )
    delta: float = option(
        0.0, "highest ratio that a bad completion is pushed down with, above 1 + clip_high; 0: no such bound", low=0
    )
    max_ratio: float = option(5.0, "cispo: highest importance weight", low=0, source="ScaleRL")
    tau_positive: float = option(1.0, "sapo: sharpness of the gate for good completions", low=0.001, source="SAPO")
    tau_negative: float = option(1.05, "sapo: sharpness of the gate for bad completions", low=0.001, source="SAPO")
    k_positive: float = option(2.0, "vespo: k for good completions", low=0, source="VESPO")
    lambda_positive: float = option(3.0, "vespo: lambda for good completions", low=0, source="VESPO")
    k_negative: float = option(3.0, "vespo: k for bad completions", low=0, source="VESPO")
    lambda_negative: float = option(2.0, "vespo: lambda for bad completions", low=0, source="VESPO")
    kl_beta: float = option(
        0.0, "weight of the KL to the starting policy; 0 loads no reference model", low=0, high=100, source=TRL
    )
    kl_estimate: str = option(
        "k3", "estimate of the KL from the sampled tokens", choices=("k1", "k2", "k3"), source=TRL
    )
    kl_in: str = option("loss", "where the KL is charged", choices=("loss", "reward"), source="DeepSeekMath: the loss")
    kl_ratio_weighted: bool = option(
        False, "multiply the KL by the importance ratio, as TRL does by default; the GRPO paper does not"
    )
    mismatch: str = option(
        "auto",
        "reweight completions by exp(old - sampler), for engines of other log-probs or older weights: each "
        "token by its own, by the sum over its completion, or by the mean; auto: token where the engine has weights of its "
        "own or samples ahead, else none",
        choices=("auto", "none", "token", "sequence", "geometric"),
    )
    mismatch_bound: str = option(
        "truncate", "what a weight outside the bounds becomes: the bound, or 0", choices=("truncate", "mask")
    )
    mismatch_low: float = option(0.0, "lower bound of the weights", low=0)
    mismatch_high: float = option(3.0, "upper bound of the weights", low=0, source=TRL)
    off_policy_max_kl: float = option(
        0.0,
        "bad completions that the policy has left by more are left out; 0: none is",
        unit="nats a token",
        low=0,
        source="DeepSeek-V3.2 has the rule",
    )
    top_entropy_fraction: float = option(
        1.0, "share of the tokens, those of highest entropy, that the policy loss trains", low=0.001, high=1, source=TRL
    )
    entropy_coefficient: float = option(0.0, "weight of a bonus for entropy", low=0, high=10, source=TRL)
    mask_truncated: bool = option(False, "leave out completions that ran out of tokens", source=TRL)
    advantages: str = option(
        "group",
        "what the centred reward is divided by: its group's deviation (sample or population), the batch's, or nothing; "
        "leave_one_out: compared with the others only; gdpo: each reward standardised on its own; shuffled: a control "
        "that deals the first out anew over the batch and must learn nothing",
        choices=("group", "group_population", "batch", "none", "leave_one_out", "gdpo", "shuffled"),
        source=TRL,
    )

    def conflicts(self) -> list[str]:
        """Settings that exclude each other."""
        found = []
        if self.name not in LOSS_NAMES and ":" not in self.name:
            found.append(f"loss.name = {self.name!r}: must be one of {', '.join(LOSS_NAMES)}, or FILE.py:function")
        if 0 < self.delta <= 1 + self.clip_high:
            found.append(f"loss.delta = {self.delta}: must be above 1 + loss.clip_high = {1 + self.clip_high}, or 0")
        if self.mismatch_low >= self.mismatch_high:
            found.append("loss.mismatch_low must be below loss.mismatch_high, or every completion is dropped")
        if self.kl_beta and self.kl_in == "reward" and self.advantages == "gdpo":
            found.append('loss.kl_in = "reward" adds to the sum of rewards, which gdpo never makes: use "loss"')
        if self.kl_beta and self.kl_in == "reward" and self.kl_ratio_weighted:
            found.append('loss.kl_ratio_weighted corrects a gradient, and loss.kl_in = "reward" has none')
        if self.name == "vespo" and self.mismatch not in ("auto", "none", "token"):
            found.append(
                'loss.name = "vespo" takes the correction into the ratio of the completion: use mismatch = "token"'
            )
        return found


@dataclass(frozen=True)
class EvalSection:
    """Evaluation on held-out prompts, before training, in between, and after."""

    every: int = option(0, "steps between evaluations; 0: only before and after", unit="steps", low=0)
    prompts: int = option(
        100, "prompts to evaluate on, the first of data.eval; 0: no evaluation at all", unit="prompts", low=0
    )
    samples: int = option(2, "completions to every prompt", unit="completions", low=1, high=10_000)
    temperature: float = option(
        1.0, "sampling temperature; 0: the likeliest token always", low=0, high=10, source="as in training"
    )
    seed: int = option(1234, "seed of the evaluation's sampling, the same for every evaluation", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class CheckpointSection:
    """Snapshots to resume from and to use."""

    every: int = option(0, "steps between checkpoints; 0: only at the end", unit="steps", low=0)
    keep: int = option(2, "newest checkpoints that stay", unit="checkpoints", low=1)


@dataclass(frozen=True)
class LogSection:
    """What the run directory keeps beside its metrics."""

    completions: bool = option(True, "write every completion with its verdict to completions.jsonl")
