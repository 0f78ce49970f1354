"""TRL's own GRPOTrainer as the oracle: its code computes advantages, ratios and losses from tensors that we prepare.

Generation, reward functions and the forward pass are replaced by prepared tensors; everything between them is TRL's
and runs unmodified. `use_vllm` is set after construction, so that the corrections for an engine's log-probs run
without an engine.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models
from torch import Tensor
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import split_tensor_dict

__all__ = ["Batch", "Oracle", "Outcome", "gradients", "outcome_of_trl", "random_batch", "tiny_config", "trainer"]

FILLER = 200  # any token that neither ends a completion nor names a row
NAN = float("nan")
Steps = list[tuple[int, int]]


@dataclass
class Batch:
    """A generation batch of N completions, right-padded to T tokens; groups are consecutive rows."""

    logprobs: Tensor  # [N, T]
    old_logprobs: Tensor
    ref_logprobs: Tensor
    sampler_logprobs: Tensor  # NaN = the engine could not say
    entropy: Tensor
    lengths: Tensor  # [N]
    truncated: Tensor  # [N] bool
    rewards: Tensor  # [N, K], NaN = None
    weights: Tensor  # [K]
    num_generations: int

    @property
    def mask(self) -> Tensor:
        """[N, T] bool."""
        return torch.arange(self.logprobs.shape[1]) < self.lengths[:, None]


@dataclass
class Outcome:
    """A loss with its gradients."""

    loss: float
    logprobs: Tensor  # [N, T], gradient
    entropy: Tensor  # [N, T], gradient
    advantages: Tensor  # [N]
    size: float = 0.0  # sum of the absolute values that add up to the loss


def random_batch(seed: int, *, rows: int = 16, tokens: int = 12, kinds: int = 2, drift: float = 0.4) -> Batch:
    """A batch with every irregularity.

    Lengths from 1 to T, truncated rows, a row without a reward, a group in which one member has a reward, a reward that
    does not apply, an unknown sampler log-prob. Bad completions have become likelier and good ones less likely, on
    average: around a ratio of 1 the losses of a group cancel.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(scale: float) -> Tensor:
        return torch.randn(rows, tokens, generator=generator) * scale

    old = -torch.rand(rows, tokens, generator=generator) * 3
    lengths = torch.randint(2, tokens + 1, (rows,), generator=generator)
    lengths[0], lengths[1] = tokens, 1
    rewards = torch.randint(0, 9, (rows, kinds), generator=generator) / 4
    rewards[2] = NAN  # nothing could judge it
    rewards[3, 0] = NAN  # one of its rewards does not apply
    rewards[4:7] = NAN  # row 7 is alone in the second group
    rewards[8, -1] = NAN
    sampler = old + normal(0.1)
    sampler[0, 1] = NAN
    total = rewards.nansum(dim=1).reshape(-1, 4)
    lean = (total.mean(dim=1, keepdim=True) - total).sign().reshape(-1, 1) * 0.6  # [N, 1]
    return Batch(
        logprobs=old + lean + normal(drift),
        old_logprobs=old,
        ref_logprobs=old + normal(0.3),
        sampler_logprobs=sampler,
        entropy=torch.rand(rows, tokens, generator=generator) * 2,
        lengths=lengths,
        truncated=(torch.arange(rows) % 5 == 0) | (lengths == 1),
        rewards=rewards,
        weights=torch.tensor([1.0, 0.5, 2.0])[:kinds],
        num_generations=4,
    )


def number_tokenizer() -> PreTrainedTokenizerFast:
    """A vocabulary of numbers, an end token and a padding token; TRL asks it for these two only."""
    vocabulary = {str(number): number for number in range(FILLER + 1)}
    tokenizer = Tokenizer(models.WordLevel({**vocabulary, "<end>": FILLER + 1, "<pad>": FILLER + 2}, unk_token="0"))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<pad>", unk_token="0")


@cache
def tiny_model() -> Qwen2ForCausalLM:
    """A random Qwen2; here only to be there, its forward pass is replaced."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return Qwen2ForCausalLM(tiny_config())


def tiny_config() -> Qwen2Config:
    """One layer, two heads."""
    tokenizer = number_tokenizer()
    return Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.1,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def zero_reward(completions: list[str], **_: Any) -> list[float]:
    """Stands where TRL wants a reward function; never asked."""
    return [0.0] * len(completions)


class Oracle(GRPOTrainer):
    """GRPOTrainer between prepared inputs: completions, rewards and log-probs come from `self.batch`."""

    batch: Batch

    def _generate(self, prompts: list[Any]) -> tuple[Any, ...]:
        """The batch's completions: the first token names the row, the last one ends it unless it was truncated."""
        batch, end = self.batch, self._tokenizer.eos_token_id
        completions = []
        for row, (length, truncated) in enumerate(zip(batch.lengths.tolist(), batch.truncated.tolist(), strict=True)):
            body = [row] + [FILLER] * (length - 1)
            completions.append(body if truncated else [*body[:-1], end])
        sampler = [row[:length].tolist() for row, length in zip(batch.sampler_logprobs, batch.lengths, strict=True)]
        known = [[None if value != value else value for value in row] for row in sampler]
        prompts_ids = [[FILLER] * 3 for _ in completions]
        return prompts_ids, completions, None, [""] * len(completions), known if self.use_vllm else None, {}, None, None

    def _calculate_rewards(self, *_: Any) -> Tensor:
        return self.batch.rewards.clone()

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor, logits_to_keep: int, **options: Any
    ) -> tuple[Tensor, Tensor | None, None]:
        """Prepared log-probs of these rows: the current ones with entropy, else the reference's or the old ones."""
        rows, tokens = input_ids[:, -logits_to_keep], slice(0, logits_to_keep)
        if options.get("compute_entropy"):
            return self.batch.logprobs[rows, tokens], self.batch.entropy[rows, tokens], None
        source = self.batch.ref_logprobs if model is self.ref_model else self.batch.old_logprobs
        return source[rows, tokens], None, None


def trainer(cls: type[GRPOTrainer] = Oracle, *, kinds: int = 2, model: Any = None, **options: Any) -> Any:
    """A trainer with these GRPOConfig options; `beta` is set afterwards, so that no reference is loaded from disk."""
    beta, use_vllm = options.pop("beta", 0.0), options.pop("use_vllm", False)
    settings = {
        "per_device_train_batch_size": 16,
        "gradient_accumulation_steps": 1,
        "num_iterations": 2,  # so that old log-probs are those of another policy
        "num_generations": 4,
        "max_completion_length": 16,
        "report_to": [],
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        **options,
    }
    config = GRPOConfig(tempfile.gettempdir(), **settings)
    made = cls(
        model=model or tiny_model(),
        reward_funcs=[zero_reward] * kinds,
        args=config,
        train_dataset=Dataset.from_dict({"prompt": [f"prompt {index}" for index in range(64)]}),
        processing_class=number_tokenizer(),
    )
    made.beta, made.use_vllm, made.ref_model = beta, use_vllm, object()
    made.model.train()
    return made


def outcome_of_trl(batches: list[Batch], steps: Steps, **options: Any) -> Outcome:
    """Loss and gradients of one optimizer step of TRL.

    Args:
        batches: The generation batches that the step reaches.
        steps: The (batch, micro-batch) pairs of the accumulation window.
        options: Of GRPOConfig.
    """
    oracle = trainer(kinds=len(batches[0].weights), reward_weights=batches[0].weights.tolist(), **options)
    steps_per_generation = oracle.args.steps_per_generation
    oracle.current_gradient_accumulation_steps = oracle.args.gradient_accumulation_steps
    loss, leaves, advantages, micro_batches = 0.0, [], [], []
    for batch in batches:
        oracle.batch = leaf = replace(
            batch, logprobs=batch.logprobs.clone().requires_grad_(), entropy=batch.entropy.clone().requires_grad_()
        )
        leaves.append(leaf)
        made = oracle._generate_and_score_completions([{"prompt": "x"}] * len(batch.lengths))
        advantages.append(made["advantages"])
        micro_batches.append(split_tensor_dict(made, steps_per_generation))
    for index, micro in steps:
        oracle.batch = leaves[index]
        part = oracle._compute_loss(oracle.model, micro_batches[index][micro])
        part.backward()
        loss += part.item()
    return Outcome(loss, *gradients(leaves), torch.cat(advantages))


def gradients(leaves: list[Batch]) -> tuple[Tensor, Tensor]:
    """Of log-probs and of entropy, [all rows, T] each; 0 where nothing arrived."""
    tensors = [[leaf.logprobs for leaf in leaves], [leaf.entropy for leaf in leaves]]
    logprobs, entropy = (torch.cat([t.new_zeros(t.shape) if t.grad is None else t.grad for t in ts]) for ts in tensors)
    return logprobs, entropy
