"""Which settings the algorithm has: one frozen section per subject, every default with its source.

How settings are read, checked and explained is `grpo.schema`. The functions of `grpo` take flat arguments; only the
package that composes a run reads these sections. It also adds the sections of the rewards and of the sandbox.

Sources of defaults: "published recipe" is the GRPO run of Oxen.ai that trained Qwen2.5-Coder-1.5B-Instruct on a
compiler's feedback; "prototype" is a trial of the shipped model's size on two cores, one seed per setting.
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

    name: str = option("", "name of the run; empty: the name of run.dir, or else of the recipe with date and time")
    dir: str = option("", "run directory; must not exist yet, unless the run resumes; empty: runs/<run.name>")
    seed: int = option(0, "seed of prompt order and sampling", low=0, high=2**31 - 1)
    resume: bool = option(False, "continue the run in run.dir after its last checkpoint")

    def conflicts(self) -> list[str]:
        """A name that cannot be a directory's; a resume without a run."""
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
        "type of matrix products and of frozen weights; trained ones are float32. float16 rounds 8 times finer than "
        "bfloat16: trainer and engine are closer, but a step whose scaled gradients overflow is skipped",
        choices=("float32", "bfloat16", "float16"),
        source="float32 is exact and fastest on CPUs without bfloat16 units; float16: arXiv 2510.26788",
    )


@dataclass(frozen=True)
class LoraSection:
    """Low-rank adapters that are trained in place of the model's weights."""

    rank: int = option(0, "rank of the matrices; 0: no LoRA, all weights are trained", low=0, high=4096)
    alpha: int = option(
        64, "the product of the two matrices is scaled by alpha / rank", low=1, high=100_000, source=PUBLISHED
    )
    targets: str = option(
        "all-linear",
        "layers with adapters: all-linear is all linear layers but the head; or their names: q_proj,v_proj",
        source=PUBLISHED,
    )


@dataclass(frozen=True)
class DataSection:
    """The prompts to train and to evaluate on."""

    train: str = option("assets/tasks/train.jsonl", "training prompts: a .jsonl or .parquet path, or hf:NAME")
    eval: str = option("assets/tasks/eval.jsonl", "held-out prompts for evaluation, in the same forms")
    system_prompt: str = option("none", "system message before every prompt, by its name", choices=("none",))
    max_prompt_tokens: int = option(
        256, "longest prompt, chat template included", unit="tokens", low=1, high=1_000_000, source=PUBLISHED
    )
    long_prompts: str = option(
        "error",
        "what happens to a longer prompt: an error stops the run, or the prompt is left out",
        choices=("error", "skip"),
    )


@dataclass(frozen=True)
class SamplingSection:
    """How training completions are sampled."""

    engine: str = option(
        "hf",
        "what samples: hf is transformers with the training weights (on a GPU it means paged); paged is transformers' "
        "continuous batching; vllm is the fastest. paged and vllm have weights of their own",
        choices=("hf", "paged", "vllm"),
    )
    own_process: bool = option(
        True, "vllm, paged: run the engine in its own process, so that it can sample while the trainer updates"
    )
    sleep: bool = option(
        False, "vllm on a GPU: free its weights and cache during every update; needs rollout.overlap = 0"
    )
    kv_cache_gb: float = option(
        0.0, "vllm: size of its cache; 0: what a batch of the longest completions needs", unit="GB", low=0, high=10_000
    )
    vllm_runner: str = option(
        "v1",
        "vllm on a GPU: v1 is its older model runner with synchronous scheduling, the code that was tried on CPUs; v2 "
        "what vLLM takes by itself, the newer one with asynchronous scheduling",
        choices=("v1", "v2"),
    )
    cuda_graphs: bool = option(
        True, "vllm on a GPU: replay recorded steps of decoding, for every number of completions up to a whole batch"
    )
    max_sync_gap: float = option(
        0.0,
        "vllm, paged: after new weights, the highest mean |engine's log-prob - trainer's|; a higher one stops the run, "
        "in half precision when it stays for three syncs, and 0.3 times as much is a warning; 0: 1e-4 in float32, 0.1 "
        "in bfloat16, 0.015 in float16",
        unit="nats a token",
        low=0,
        source="float32: 50 times what was measured; bfloat16: reported for 7B are 0.02; float16: estimated",
    )
    group_size: int = option(8, "completions of every prompt, G", unit="completions", low=2, high=4096, source=TRL)
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
    """Which completions a step trains on."""

    overlap: int = option(
        0,
        "batches sampled ahead of training; 0: on-policy, every batch is sampled from the weights that it trains",
        unit="batches",
        low=0,
        high=64,
    )
    max_staleness: int = option(
        0,
        "completions from weights older than this are left out; 0: no limit, since rollout.overlap bounds their age",
        unit="updates",
        low=0,
    )
    refill_rounds: int = option(
        0,
        "rounds in which zero_std groups (all rewards equal) are replaced by groups of fresh prompts, before the "
        "update; sampling ahead waits for them",
        unit="rounds",
        low=0,
        high=100,
        source="DAPO: until the batch is full",
    )
    zero_std_resample_prob: float = option(
        1.0,
        "probability that a prompt whose last group was zero_std is drawn when its turn comes again",
        low=0.01,
        high=1,
    )


@dataclass(frozen=True)
class TrainSection:
    """The optimizer, the length of the run, and the device."""

    device: str = option(
        "auto", "where the model lives; auto takes CUDA where there is one", choices=("auto", "cpu", "cuda")
    )
    threads: int = option(
        0,
        "CPU threads of torch; 0: all cores during updates, one less during sampling, which leaves one for the sandbox",
        unit="threads",
        low=0,
        high=4096,
    )
    max_steps: int = option(0, "steps to train; 0: as many as train.epochs needs", unit="steps", low=0)
    epochs: float = option(
        1.0, "passes over the training prompts, used if train.max_steps is 0", low=0.0001, high=10_000, source=PUBLISHED
    )
    prompts_per_step: int = option(
        16,
        "prompts in a batch, with sampling.group_size completions each",
        unit="prompts",
        low=1,
        high=100_000,
        source=PROTOTYPE,
    )
    optimizer: str = option(
        "adamw",
        "adamw8bit has moments of 8 bits, which saves 6 bytes a trained weight, and needs torchao (arXiv 2110.02861)",
        choices=("adamw", "adamw8bit"),
    )
    lr: float = option(
        3e-4, "peak learning rate of AdamW", low=1e-9, high=1, source=f"{PROTOTYPE}: 1e-4 learned 2 to 3 times slower"
    )
    adam_beta1: float = option(0.9, "decay of the gradient's mean", low=0, high=0.999999, source=PUBLISHED)
    adam_beta2: float = option(0.99, "decay of the squared gradient's mean", low=0, high=0.999999, source=PUBLISHED)
    weight_decay: float = option(0.1, "decoupled weight decay, on matrices only", low=0, high=10, source=PUBLISHED)
    warmup_fraction: float = option(
        0.1, "share of all updates over which the learning rate rises", low=0, high=1, source=PUBLISHED
    )
    schedule: str = option(
        "cosine", "the learning rate after warm-up", choices=("constant", "linear", "cosine"), source=PUBLISHED
    )
    min_lr_fraction: float = option(
        0.0, "learning rate at the end of the schedule, as a share of train.lr", low=0, high=1, source=PUBLISHED
    )
    max_grad_norm: float = option(
        1.0, "global gradient norm above which gradients are scaled down", low=1e-6, high=1e6, source=TRL
    )
    num_iterations: int = option(1, "passes over every batch", unit="passes", low=1, high=1000, source=TRL)
    num_minibatches: int = option(
        1, "minibatches per pass, one weight update each", unit="updates", low=1, high=10_000, source=TRL
    )
    micro_batch_tokens: int = option(
        8192,
        "tokens per forward and backward pass, a shared prompt counted once; changes memory and speed, not the result",
        unit="tokens",
        low=1,
        high=100_000_000,
    )
    gradient_checkpointing: bool = option(
        False, "recompute the activations inside layers in the backward pass: less memory, more time"
    )
    compile_layers: bool = option(
        False,
        "compile the model's layers for training passes (torch.compile): a GPU launches fewer and larger kernels, and "
        "the first step takes minutes longer",
    )
    skip_zero_std: bool = option(
        True, "leave zero_std groups (all rewards equal) out of the update: their policy gradient is zero"
    )

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
        "how token losses are averaged: published is as the loss was published; token is over all tokens (DAPO), "
        "sequence over each completion's mean (GRPO), constant over a fixed length (Dr. GRPO); sum is the sum within a "
        "completion (LUSPO)",
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
        0.0, "upper bound of the ratio for negative advantages, above 1 + clip_high; 0: no such bound", low=0
    )
    max_ratio: float = option(5.0, "cispo: highest importance ratio", low=0, source="ScaleRL")
    tau_positive: float = option(1.0, "sapo: sharpness of the gate for positive advantages", low=0.001, source="SAPO")
    tau_negative: float = option(1.05, "sapo: sharpness of the gate for negative advantages", low=0.001, source="SAPO")
    k_positive: float = option(2.0, "vespo: k for positive advantages", low=0, source="VESPO")
    lambda_positive: float = option(3.0, "vespo: lambda for positive advantages", low=0, source="VESPO")
    k_negative: float = option(3.0, "vespo: k for negative advantages", low=0, source="VESPO")
    lambda_negative: float = option(2.0, "vespo: lambda for negative advantages", low=0, source="VESPO")
    kl_beta: float = option(
        0.0, "weight of the KL to the starting policy; 0 loads no reference model", low=0, high=100, source=TRL
    )
    kl_estimate: str = option(
        "k3", "estimate of the KL from the sampled tokens", choices=("k1", "k2", "k3"), source=TRL
    )
    kl_in: str = option(
        "loss",
        "where the KL counts: as a term of the loss, or subtracted from the reward",
        choices=("loss", "reward"),
        source="DeepSeekMath: the loss",
    )
    kl_ratio_weighted: bool = option(
        False, "multiply the KL by the importance ratio, as TRL does by default; the GRPO paper does not"
    )
    mismatch: str = option(
        "auto",
        "importance weights exp(old - sampler) for the gap between trainer and engine: token is per token, sequence "
        "from the sum over the completion, geometric from its mean; auto is token where the engine has weights of its "
        "own or samples ahead, else none",
        choices=("auto", "none", "token", "sequence", "geometric"),
    )
    mismatch_bound: str = option(
        "truncate", "a weight outside the bounds becomes the bound (truncate) or 0 (mask)", choices=("truncate", "mask")
    )
    mismatch_low: float = option(0.0, "lower bound of the mismatch weights", low=0)
    mismatch_high: float = option(3.0, "upper bound of the mismatch weights", low=0, source=TRL)
    off_policy_max_kl: float = option(
        0.0,
        "completions with a negative advantage that are off policy by more are left out of the loss; 0: none is",
        unit="nats a token",
        low=0,
        source="DeepSeek-V3.2 has the rule",
    )
    top_entropy_fraction: float = option(
        1.0, "share of the tokens that the policy loss trains: those of highest entropy", low=0.001, high=1, source=TRL
    )
    entropy_coefficient: float = option(0.0, "weight of a bonus for entropy", low=0, high=10, source=TRL)
    mask_truncated: bool = option(False, "leave truncated completions out of the loss", source=TRL)
    advantages: str = option(
        "group",
        "what the centred reward is divided by: group and group_population are the group's standard deviation, batch "
        "the batch's, none nothing; leave_one_out compares with the other completions; gdpo standardises each reward "
        "on its own; shuffled is a control: the advantages of group, permuted over the batch, must teach nothing",
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
            found.append('loss.kl_in = "reward" adds to the sum of rewards, which gdpo does not compute: use "loss"')
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

    every: int = option(0, "steps between evaluations; 0: only before and after training", unit="steps", low=0)
    prompts: int = option(
        100, "prompts to evaluate on, the first of data.eval; 0: no evaluation at all", unit="prompts", low=0
    )
    samples: int = option(2, "completions of every prompt", unit="completions", low=1, high=10_000)
    temperature: float = option(1.0, "sampling temperature; 0: greedy", low=0, high=10, source="as in training")
    top_p: float = option(1.0, "sample from the fewest tokens with this probability; 1: from all", low=0.01, high=1)
    seed: int = option(1234, "seed of the evaluation's sampling, the same for every evaluation", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class CheckpointSection:
    """Checkpoints of the trained model, from which a run can resume."""

    every: int = option(0, "steps between checkpoints; 0: only at the end", unit="steps", low=0)
    keep: int = option(2, "how many of the newest checkpoints are kept", unit="checkpoints", low=1)


@dataclass(frozen=True)
class LogSection:
    """What the run directory holds besides its metrics."""

    completions: bool = option(True, "write every completion with its verdict to completions.jsonl")
