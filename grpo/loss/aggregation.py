"""From per-token losses to one number: a weight per completion, so that `loss = (per_token * weights).sum()`.

Weights are made once, from the lengths of the whole optimizer batch; cut into micro-batches or spread over machines,
the sum stays the same sum. `trl_weights` makes TRL's instead, whose "bnpo" depends on the cut and whose "dapo" counts
the tokens of the generation batch.

    name      weight of a token of completion i   losses that are published with it
    token     1 / sum(lengths)                dapo, cispo, vespo (and bnpo, in one micro-batch)
    sequence  1 / (B * length_i)              grpo, gspo, sapo
    constant  1 / (B * max_tokens)            dr_grpo
    sum       1 / B                           luspo
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["AGGREGATIONS", "aggregation_weights", "bnpo_weights", "trl_weights"]

AGGREGATIONS = ("token", "sequence", "constant", "sum")
_TRL_AGGREGATIONS = {
    "grpo": "sequence",
    "sapo": "sequence",
    "bnpo": "token",
    "dr_grpo": "constant",
    "luspo": "sum",
    "dapo": "generation",
    "cispo": "generation",
    "vespo": "generation",
}


def aggregation_weights(lengths: Tensor, *, aggregation: str, max_tokens: int) -> Tensor:
    """The weight of each token of each completion in the loss of the whole optimizer batch.

        token      1 / sum(lengths)       every token counts the same (DAPO)
        sequence   1 / (B * length_i)     every completion counts the same (GRPO)
        constant   1 / (B * max_tokens)   no length bias at all (Dr. GRPO)
        sum        1 / B                  a completion counts as much as it is long (LUSPO)

    All tokens of one completion weigh the same, so one number per completion is enough: `weights = result[:, None] * mask`.

    Args: lengths [B] int, trained tokens of every completion of the batch; aggregation, one of `AGGREGATIONS`;
        max_tokens, the longest completion that sampling allows (used by "constant").
    Returns: [B] fp32. A completion of no tokens weighs 0, but counts in B.
    Raises: ValueError for an unknown aggregation.
    Source: DAPO (arXiv 2503.14476), equation 8; DeepSeekMath (arXiv 2402.03300), equation 3; Dr. GRPO (arXiv
        2503.20783); LUSPO (arXiv 2602.05261).

    >>> import torch
    >>> aggregation_weights(torch.tensor([1, 3]), aggregation="token", max_tokens=4).tolist()
    [0.25, 0.25]
    >>> aggregation_weights(torch.tensor([1, 4]), aggregation="sequence", max_tokens=4).tolist()
    [0.5, 0.125]
    """
    trained = (lengths > 0).float()
    if aggregation == "token":
        return trained / lengths.sum().clamp(min=1)
    if aggregation == "sequence":
        return trained / (len(lengths) * lengths.clamp(min=1))
    if aggregation == "constant":
        return trained / (len(lengths) * max_tokens)
    if aggregation == "sum":
        return trained / max(len(lengths), 1)
    raise ValueError(f"aggregation is {aggregation!r}; it must be one of {', '.join(AGGREGATIONS)}")


def bnpo_weights(lengths: Tensor, micro_batches: Tensor) -> Tensor:
    """Token means per micro-batch, averaged over M micro-batches: `1 / (M * tokens of the completion's micro-batch)`.

    What "bnpo" means in TRL. The result depends on how the batch was cut: prefer "token", which is the same in one.

    Args: lengths [B] int, trained tokens of every completion; micro_batches [B] int, which micro-batch it is in, from 0.
    Returns: [B] fp32. A completion of no tokens weighs 0.
    Raises: ValueError where the two differ in shape.
    Source: TRL 1.16, `loss_type="bnpo"`.

    >>> import torch
    >>> bnpo_weights(torch.tensor([1, 3, 2]), torch.tensor([0, 0, 1])).tolist()
    [0.125, 0.125, 0.25]
    """
    if lengths.shape != micro_batches.shape:
        raise ValueError(f"{list(lengths.shape)} lengths, but {list(micro_batches.shape)} micro-batch numbers")
    num_micro_batches = int(micro_batches.max()) + 1 if len(micro_batches) else 1
    tokens = lengths.new_zeros(num_micro_batches).index_add(0, micro_batches, lengths)  # [M]
    return (lengths > 0).float() / (num_micro_batches * tokens[micro_batches].clamp(min=1))


def trl_weights(
    lengths: Tensor,
    *,
    loss_type: str,
    max_tokens: int,
    generation_tokens: int,
    accumulation_steps: int,
    steps_per_generation: int,
) -> Tensor:
    """The weights of one micro-batch exactly as TRL 1.16 divides, to reproduce a run of TRL.

        grpo, sapo          1 / (rows * length_i * accumulation)
        bnpo                1 / (tokens of the micro-batch * accumulation)
        dr_grpo             1 / (rows * max_tokens * accumulation)
        luspo               1 / (rows * accumulation)
        dapo, cispo, vespo  steps_per_generation / (generation_tokens * accumulation)

    The last equals "token" only where an optimizer step consumes exactly one generation batch; otherwise it is right
    on average and wrong for each step.

    Args: lengths [rows] int, of this micro-batch; loss_type, TRL's name; max_tokens, TRL's `max_completion_length`;
        generation_tokens, trained tokens of the whole generation batch (`num_items_in_batch`); accumulation_steps,
        micro-batches per optimizer step; steps_per_generation, micro-batches per generation batch.
    Returns: [rows] fp32; the sum of `per_token * weights` over all micro-batches of a step is TRL's loss.
    Raises: ValueError for an unknown loss_type.
    Source: TRL 1.16, the end of `GRPOTrainer._compute_loss`.

    >>> import torch
    >>> sizes = {"max_tokens": 8, "generation_tokens": 8, "accumulation_steps": 2, "steps_per_generation": 2}
    >>> trl_weights(torch.tensor([1, 3]), loss_type="dapo", **sizes).tolist()
    [0.125, 0.125]
    >>> trl_weights(torch.tensor([1, 3]), loss_type="grpo", **sizes).tolist()
    [0.25, 0.0833333358168602]
    """
    if loss_type not in _TRL_AGGREGATIONS:
        raise ValueError(f"loss_type is {loss_type!r}; TRL 1.16 has {', '.join(_TRL_AGGREGATIONS)}")
    aggregation = _TRL_AGGREGATIONS[loss_type]
    if aggregation == "generation":
        per_window = max(generation_tokens, 1) * accumulation_steps / steps_per_generation
        return (lengths > 0).float() / per_window
    return aggregation_weights(lengths, aggregation=aggregation, max_tokens=max_tokens) / accumulation_steps
