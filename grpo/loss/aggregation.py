"""From per-token losses to one number: a weight per completion, so that `loss = (per_token * weights).sum()`.

Weights are made once, from the lengths of the whole optimizer batch. Cut into micro-batches or spread over machines,
the sum stays the same; TRL's "bnpo" depends on the cut, and its "dapo" counts the tokens of the generation batch
(docs/reference/losses.md).

    name      weight of a token of completion i   losses that are published with it
    token     1 / sum(lengths)                    dapo, cispo, vespo (and bnpo, in one micro-batch)
    sequence  1 / (B * length_i)                  grpo, gspo, sapo
    constant  1 / (B * max_tokens)                dr_grpo
    sum       1 / B                               luspo
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["AGGREGATIONS", "aggregation_weights"]

AGGREGATIONS = ("token", "sequence", "constant", "sum")


def aggregation_weights(lengths: Tensor, *, aggregation: str, max_tokens: int) -> Tensor:
    """The weight of each token of each completion in the loss of the whole optimizer batch.

        token      1 / sum(lengths)       every token counts the same (DAPO)
        sequence   1 / (B * length_i)     every completion counts the same (GRPO)
        constant   1 / (B * max_tokens)   no length bias at all (Dr. GRPO)
        sum        1 / B                  a completion counts in proportion to its length (LUSPO)

    All tokens of a completion weigh the same, so one number per completion is enough: `result[:, None] * mask`.

    Args:
        lengths: [B] int, trained tokens of every completion of the batch.
        aggregation: One of `AGGREGATIONS`.
        max_tokens: The longest completion that sampling allows; used by "constant".
    Returns: [B] fp32. A completion without trained tokens weighs 0, but counts in B.
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
