"""Log-probabilities and entropy of tokens, at the temperature they were sampled with.

The policy that sampled a completion is softmax(z / T), so policy, old policy and reference are all read at that T: a
ratio between distributions at different temperatures is not an importance ratio.

`token_logprobs` is the definition, on logits. `linear_logprobs` computes the same from hidden states and the head's
matrix without ever holding [tokens, vocabulary]. It walks the vocabulary in tiles, once forward for the running sum of
exponentials and once backward for the gradient, and keeps a few numbers per token in between. Arithmetic and sums are
fp32 whatever the inputs are (fp64 stays fp64). Left out: logits that are scaled or capped after the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["linear_logprobs", "token_logprobs"]


class Tile(NamedTuple):
    """The size of the piece of the logits that is in memory at one time."""

    tokens: int
    vocabulary: int


CPU_TILE = Tile(2048, 4096)  # 32 MB; smaller tiles cost up to twice the time (EXPERIMENTS.md, 2026-11-24)
CUDA_TILE = Tile(4096, 8192)  # 128 MB: large enough for the matrix products; not measured


def token_logprobs(
    logits: Tensor, token_ids: Tensor, *, temperature: float, entropy_grad: bool = False
) -> tuple[Tensor, Tensor]:
    """Log-probability of each token, entropy of its distribution: `l = log softmax(z / T)[token]`, `H = -sum p log p`.

    Args:
        logits: [..., V], any float dtype; carries gradient. The arithmetic is fp32 (fp64 stays fp64).
        token_ids: [...], int64, each in 0..V-1.
        temperature: The sampling temperature T, > 0.
        entropy_grad: Whether the entropy carries gradient; as a metric it needs none.
    Returns: log-probs [...] in nats (with gradient), entropy [...] in nats (detached unless asked for).
    Raises: ValueError for a temperature that is not positive.
    Source: Sutton and Barto, "Reinforcement Learning" (2018), section 13.1: a policy is a softmax of preferences.

    >>> logprobs, entropy = token_logprobs(torch.zeros(1, 4), torch.tensor([2]), temperature=1.0)
    >>> round(logprobs.item(), 4), round(entropy.item(), 4)  # uniform over four: -ln 4, ln 4
    (-1.3863, 1.3863)
    """
    _check_temperature(temperature)
    upcast = logits if logits.dtype.itemsize >= 4 else logits.float()
    log_p = (upcast / temperature).log_softmax(dim=-1)
    measured = log_p if entropy_grad else log_p.detach()
    entropy = -(measured.exp() * measured).sum(dim=-1)
    return log_p.gather(-1, token_ids.unsqueeze(-1)).squeeze(-1), entropy


def linear_logprobs(
    hidden: Tensor,
    weight: Tensor,
    token_ids: Tensor,
    *,
    temperature: float,
    bias: Tensor | None = None,
    entropy_grad: bool = False,
    tile: Tile | None = None,
) -> tuple[Tensor, Tensor]:
    """`token_logprobs(hidden @ weight.T + bias, token_ids)` without the logits, forward and backward.

        forward    lse = log sum_v exp(z_v),  l = z_token - lse,  H = lse - sum_v p_v z_v     (z already divided by T)
        backward   dz_v = g (1[v = token] - p_v) - g_H p_v (log p_v + H),  d hidden = dz W / T,  d W = dz^T hidden / T

    Under autocast on CUDA the inputs of the matrix products have autocast's dtype; sums and results stay fp32.

    Args:
        hidden: [N, H] last hidden states, bf16, fp16, fp32 or fp64; carries gradient.
        weight: [V, H] of the head, tied or not; carries gradient. For a frozen weight no gradient is computed.
        token_ids: [N] int64, each in 0..V-1.
        temperature: The sampling temperature T, > 0.
        bias: [V] of the head, if it has one.
        entropy_grad: Whether the entropy carries gradient.
        tile: Tokens x vocabulary that are in memory at one time; changes speed and memory only.
    Returns: log-probs [N] in nats (with gradient), entropy [N] in nats (detached unless asked for), fp32 or fp64.
    Raises: ValueError for a temperature that is not positive, and where shapes do not fit.
    Source: online softmax, Milakov and Gimelshein (arXiv 1805.02867); tiling the head of a language model: Wijmans et
        al., "Cut Your Losses" (arXiv 2411.09009).

    >>> head, hidden, token_ids = torch.eye(3, 2), torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    >>> logprobs, entropy = linear_logprobs(hidden, head, token_ids, temperature=1.0)
    >>> expected, _ = token_logprobs(hidden @ head.T, token_ids, temperature=1.0)
    >>> torch.allclose(logprobs, expected)
    True
    """
    _check_temperature(temperature)
    if hidden.ndim != 2 or token_ids.shape != hidden.shape[:1] or weight.shape[1:] != hidden.shape[1:]:
        raise ValueError(
            f"hidden states are {list(hidden.shape)}, token ids {list(token_ids.shape)} and the head "
            f"{list(weight.shape)}; give [tokens, size], [tokens] and [vocabulary, size]"
        )
    size = tile or (CUDA_TILE if hidden.is_cuda else CPU_TILE)
    apply: Callable[..., tuple[Tensor, Tensor]] = _LinearLogprobs.apply  # untyped in torch
    return apply(hidden, weight, bias, token_ids, temperature, size, entropy_grad)


class _LinearLogprobs(torch.autograd.Function):
    """The walk over tiles. Saved for the backward pass: the inputs, and the lse and entropy of each token."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        token_ids: Tensor,
        temperature: float,
        size: Tile,
        entropy_grad: bool,
    ) -> tuple[Tensor, Tensor]:
        head = _Head(hidden, weight, bias, temperature, size, _product_dtype(hidden))
        highest, total, weighted = (head.number_per_token(fill) for fill in (-torch.inf, 0.0, 0.0))
        fold = _fused(_fold) if hidden.is_cuda else _fold
        with torch.autocast(hidden.device.type, enabled=False):
            for vocab_slice in head.vocabulary():
                for tokens in head.tokens():
                    fold(head.logits(tokens, vocab_slice), highest[tokens], total[tokens], weighted[tokens])
            target = torch.cat([head.own_logit(tokens, token_ids[tokens]) for tokens in head.tokens()] or [total])
        lse = highest + total.log()
        entropy = lse - weighted / total
        ctx.save_for_backward(hidden, weight, bias, token_ids, lse, entropy)
        ctx.temperature, ctx.size, ctx.product_dtype = temperature, size, head.product_dtype
        ctx.set_materialize_grads(False)
        if not entropy_grad:
            ctx.mark_non_differentiable(entropy)
        return (target - lse).clamp_(max=0.0), entropy  # the two are sums of different order: 1e-6 above 0 is possible

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_logprobs: Tensor | None, grad_entropy: Tensor | None) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, token_ids, lse, entropy = ctx.saved_tensors
        wants_hidden, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        head = _Head(hidden, weight, bias, ctx.temperature, ctx.size, ctx.product_dtype)
        d_hidden = torch.zeros_like(hidden, dtype=lse.dtype) if wants_hidden else None
        d_weight = torch.empty_like(weight) if wants_weight else None
        d_bias = torch.zeros_like(bias) if wants_bias else None
        g = torch.zeros_like(lse) if grad_logprobs is None else grad_logprobs / ctx.temperature
        g_entropy = None if grad_entropy is None else grad_entropy / ctx.temperature
        gradient = _fused(_gradient_of_tile) if hidden.is_cuda else _gradient_of_tile_eagerly
        for vocab_slice in head.vocabulary():
            rows = head.d_weight(vocab_slice) if d_weight is not None else None
            for tokens in head.tokens():
                dz = head.logits(tokens, vocab_slice)
                column = token_ids[tokens] - vocab_slice.start
                with_entropy = () if g_entropy is None else (g_entropy[tokens], entropy[tokens])
                gradient(dz, g[tokens], lse[tokens], column, *with_entropy)
                head.backward(dz, tokens, vocab_slice, d_hidden, rows)
                if d_bias is not None:
                    d_bias[vocab_slice] += dz.sum(dim=0)
            if d_weight is not None and rows is not None:
                d_weight[vocab_slice] = rows
        return (None if d_hidden is None else d_hidden.to(hidden.dtype)), d_weight, d_bias, None, None, None, None


class _Head:
    """The matrix products of the head, tile by tile, in one buffer."""

    def __init__(
        self,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        temperature: float,
        size: Tile,
        product_dtype: torch.dtype,
    ) -> None:
        self.product_dtype = product_dtype
        self._hidden, self._weight, self._bias = hidden.to(product_dtype), weight, bias
        self._temperature = temperature
        self._sum_dtype = torch.float64 if hidden.dtype == torch.float64 else torch.float32
        self._size = size
        shape = min(size.tokens, len(hidden)), min(size.vocabulary, len(weight))
        self._buffer = torch.empty(shape, dtype=self._sum_dtype, device=hidden.device)

    def number_per_token(self, fill: float) -> Tensor:
        """[N], in the dtype of the sums."""
        return torch.full((len(self._hidden),), fill, dtype=self._sum_dtype, device=self._hidden.device)

    def tokens(self) -> Iterator[slice]:
        return _slices(len(self._hidden), self._size.tokens)

    def vocabulary(self) -> Iterator[slice]:
        return _slices(len(self._weight), self._size.vocabulary)

    def logits(self, tokens: slice, vocab_slice: slice) -> Tensor:
        """`z / T` of a tile, in a buffer that the next call overwrites."""
        hidden, weight = self._hidden[tokens], self._weight[vocab_slice].to(self.product_dtype)
        if self.product_dtype == self._sum_dtype:
            logits = torch.mm(hidden, weight.T, out=self._buffer[: len(hidden), : len(weight)])
        else:
            logits = torch.mm(hidden, weight.T, out_dtype=self._sum_dtype)  # half precision, on CUDA only
        if self._bias is not None:
            logits += self._bias[vocab_slice]
        return logits if self._temperature == 1 else logits.div_(self._temperature)

    def own_logit(self, tokens: slice, token_ids: Tensor) -> Tensor:
        """`z / T` of each token's own entry, [tokens]: the product of the same rounded inputs, without a tile."""
        hidden = self._hidden[tokens].to(self._sum_dtype)
        own = self._weight.index_select(0, token_ids).to(self.product_dtype).to(self._sum_dtype)
        logits = (hidden * own).sum(dim=1)
        if self._bias is not None:
            logits += self._bias.index_select(0, token_ids)
        return logits if self._temperature == 1 else logits.div_(self._temperature)

    def d_weight(self, vocab_slice: slice) -> Tensor:
        """Zeros to sum the weight's gradient of a tile in, [tile's vocabulary, H]."""
        return torch.zeros_like(self._weight[vocab_slice], dtype=self._sum_dtype)

    def backward(
        self, dz: Tensor, tokens: slice, vocab_slice: slice, d_hidden: Tensor | None, rows: Tensor | None
    ) -> None:
        """Add a tile's part to the gradients of the hidden states and of the weight."""
        if d_hidden is not None:
            self._add_product(d_hidden[tokens], dz, self._weight[vocab_slice])
        if rows is not None:
            self._add_product(rows, dz.T, self._hidden[tokens])

    def _add_product(self, total: Tensor, left: Tensor, right: Tensor) -> None:
        """`total += left @ right`, summed in fp32 or fp64 whatever the dtype of the product's inputs is."""
        if self.product_dtype == self._sum_dtype:
            total.addmm_(left, right.to(self._sum_dtype))
        else:
            total += torch.mm(left.to(self.product_dtype), right.to(self.product_dtype), out_dtype=self._sum_dtype)


def _fold(logits: Tensor, highest: Tensor, total: Tensor, weighted: Tensor) -> None:
    """Add a tile to the running `max z`, `sum exp(z - max)` and `sum exp(z - max) z` of its tokens, in place."""
    new = torch.maximum(highest, logits.amax(dim=1))
    shrink = (highest - new).exp()
    powers = (logits - new[:, None]).exp_()
    total.mul_(shrink).add_(powers.sum(dim=1))
    weighted.mul_(shrink).add_(powers.mul_(logits).sum(dim=1))
    highest.copy_(new)


def _gradient_of_tile(logits: Tensor, g: Tensor, lse: Tensor, column: Tensor, *with_entropy: Tensor) -> None:
    """Turn z of a tile into its gradient, in place: `g (1[v = token] - p) - p g_H (log p + H)`.

    Every operation is per element, the comparison with the token too, so that a compiler makes one kernel of all.

    Args:
        logits: [tokens, vocabulary of the tile], z.
        g, lse: [tokens] gradient of the log-prob, and log sum exp z.
        column: [tokens] int64, the token's column, which may lie in another tile: below 0 or beyond the last.
        with_entropy: [tokens] gradient g_H of the entropy, and the entropy H; nothing where it has no gradient.
    """
    own = torch.arange(logits.shape[1], device=logits.device) == column[:, None]
    _subtract_softmax(logits, g, lse, *with_entropy)
    logits.add_(torch.where(own, g[:, None], 0.0))


def _gradient_of_tile_eagerly(logits: Tensor, g: Tensor, lse: Tensor, column: Tensor, *with_entropy: Tensor) -> None:
    """The same for a machine that compiles nothing: touches one element a token and not the tile once more."""
    _subtract_softmax(logits, g, lse, *with_entropy)
    last = logits.shape[1] - 1
    own = torch.where((column >= 0) & (column <= last), g, 0.0)
    logits.scatter_add_(1, column.clamp(0, last)[:, None], own[:, None])


def _subtract_softmax(logits: Tensor, g: Tensor, lse: Tensor, *with_entropy: Tensor) -> None:
    """Turn z into `-p g`, or into `-p (g + g_H (log p + H))`, in place."""
    logits.sub_(lse[:, None])
    if not with_entropy:
        logits.exp_().mul_(-g[:, None])
        return
    g_entropy, entropy = with_entropy
    powers = logits.exp()
    logits.add_(entropy[:, None]).mul_(g_entropy[:, None]).add_(g[:, None]).mul_(powers).neg_()


@cache
def _fused(function: Callable[..., None]) -> Callable[..., None]:
    """The function as one compiled kernel; eagerly, each of its operations would read and write the tile."""
    return torch.compile(function, dynamic=True)


def _product_dtype(hidden: Tensor) -> torch.dtype:
    """The dtype of the matrix products' inputs: autocast's or the hidden states'; fp32 on CPUs for half precision."""
    device = hidden.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
    if hidden.dtype == torch.float64:
        return hidden.dtype
    return dtype if hidden.is_cuda else torch.float32


def _slices(length: int, step: int) -> Iterator[slice]:
    """`range(length)` in pieces of `step`."""
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def _check_temperature(temperature: float) -> None:
    if temperature <= 0:
        raise ValueError(
            f"temperature is {temperature}; log-probabilities need it above 0 (greedy completions have none)"
        )
