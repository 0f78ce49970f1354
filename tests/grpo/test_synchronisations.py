"""A training pass asks for no value of a tensor where a GPU would have to be waited for.

On CUDA an operation whose result has a size that depends on values (`nonzero`, a boolean mask), or that hands a value
to Python, stops the host until the GPU has done everything before it. On a CPU such operations can be counted all the
same: they are operations of torch like any other. `index_put` with accumulation is counted too: it sorts or adds one by
one where places repeat.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from grpo import logprobs
from grpo.logprobs import Tile
from grpo.loss import clipped_policy_loss
from grpo.model.batching import TrainingSample, micro_batches
from grpo.model.policy import Policy
from grpo.objective import Mismatch, Objective
from grpo.update import Updater

PPO = partial(clipped_policy_loss, clip_low=0.2, clip_high=0.2)
ALWAYS = {"nonzero", "nonzero_numpy", "argwhere", "masked_select", "masked_scatter", "_local_scalar_dense", "_unique2"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}
TOKENS = 90  # of every micro-batch below


class Synchronisations(TorchDispatchMode):
    """Counts operations that wait for a GPU, or that add serially there."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.total = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.overloadpacket.__name__
        self.total += 1
        if name in ALWAYS or (name in INDEXING and _waits(args)):
            self.found[name] += 1
        return function(*args, **(kwargs or {}))


def _waits(args: tuple[Any, ...]) -> bool:
    """Whether an index has booleans in it, or accumulates."""
    masks = any(isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in args[1])
    return masks or (len(args) > 3 and bool(args[3]))


def samples(micro_batches_of: int = 1) -> list[TrainingSample]:
    """So many pairs of completions that share a prompt, each pair a micro-batch."""
    found = []
    for number in range(micro_batches_of):
        prompt = tuple(range(3 + number, 13 + number))
        for length in (50, 30):
            completion = tuple(range(20 + number, 20 + number + length))
            found.append(TrainingSample(prompt, completion, (-4.0,) * length, float(length - 40)))
    return found


def updater_of(policy: Policy, objective: Objective, reference: Policy | None = None) -> Updater:
    return Updater(
        policy,
        reference,
        objective,
        schedule=lambda update: 1e-3,
        betas=(0.9, 0.99),
        weight_decay=0.1,
        max_grad_norm=1.0,
        num_iterations=1,
        micro_batch_tokens=TOKENS,
        skip_zero_std=True,
    )


def count(run: Callable[[], object]) -> Counter[str]:
    with Synchronisations() as watch:
        run()
    assert watch.total > 100, "the watch saw the operations of a model"
    return watch.found


PLAIN = Objective(PPO, "token", max_tokens=64, temperature=0.8)
EVERYTHING = Objective(
    PPO,
    "token",
    max_tokens=64,
    temperature=1.0,
    kl_beta=0.1,
    mismatch=Mismatch("token", "truncate", 0.0, 3.0),
    off_policy_max_kl=5.0,
    top_entropy_fraction=0.5,
    entropy_coefficient=0.01,
)


@pytest.mark.parametrize("objective", [PLAIN, EVERYTHING])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_forward_and_backward_pass_wait_for_nothing(
    make_policy: Callable[..., Policy], objective: Objective, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through every layer and every tile of the vocabulary, with the whole loss."""
    monkeypatch.setattr(logprobs, "CPU_TILE", Tile(16, 32))
    policy = make_policy(dtype=dtype)
    [batch] = micro_batches(samples(), max_tokens=TOKENS)

    def forward_and_backward() -> None:
        found, entropy = policy.completion_logprobs(batch, temperature=1.0, entropy_grad=True)
        old, weights = found.detach(), torch.ones(len(batch.rows))
        objective.loss(batch, found, entropy, old, old, weights, token_weight=0.1)[0].backward()

    assert count(forward_and_backward) == {}


@pytest.mark.parametrize("objective", [PLAIN, EVERYTHING])
def test_an_update_reads_its_numbers_once(make_policy: Callable[..., Policy], objective: Objective) -> None:
    """Three more micro-batches add nothing to what an optimizer step asks for."""
    found = []
    for number in (1, 4):
        updater = updater_of(make_policy(), objective, make_policy(seed=1).frozen())
        assert len(updater.minibatch(samples(number)).batches) == number
        found.append(count(lambda updater=updater, number=number: updater.update(samples(number))))
    one, four = found
    assert one == four
    steps_of_adam = sum(1 for _ in make_policy().model.parameters())  # their counts are on the CPU and cost nothing
    floors = int(objective.top_entropy_fraction < 1)  # one quantile over all micro-batches
    lengths = 1  # the number of trained tokens, on the CPU
    assert one == {"_local_scalar_dense": steps_of_adam + lengths + floors}


def test_the_watch_sees_what_waits() -> None:
    numbers, mask = torch.ones(4, requires_grad=True), torch.tensor([True, False, True, True])
    places = torch.tensor([0, 0, 1])

    def waits() -> None:
        (numbers[places].sum() + numbers[mask].sum()).backward()
        float(numbers.detach().sum())
        mask.nonzero()
        for _ in range(100):
            numbers.detach().add(1)

    assert count(waits) == {"index": 1, "_local_scalar_dense": 1, "nonzero": 1, "index_put": 2}
