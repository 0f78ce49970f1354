"""Memory that runs out, really: one message with the sizes and the setting to lower, and no traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from grpo.engines import EngineDied
from grpo.model.batching import TrainingSample
from grpo.model.policy import Policy
from grpo.rollout.records import Completion, Example, Group
from grpo.run.out_of_memory import OutOfMemory, memory_explained, ran_out_of_memory
from test_update import make_updater

ROOT = Path(__file__).resolve().parents[2]
ROOM = 100 << 20  # bytes beyond what the loaded model takes: less than either needs
CHILD = """
import faulthandler, json, resource, sys
faulthandler.dump_traceback_later(90, exit=True)
sys.path[:0] = {paths!r}
import torch
torch.set_num_threads(1)
from pathlib import Path
from grpo.engines import SamplingParams
from grpo.engines.hf import HFEngine
from grpo.model.batching import TrainingSample
from grpo.model.policy import load_policy
from grpo.rollout.collect import sample
from grpo.rollout.records import Example
from grpo.rollout.records import Completion, Example, Group
from grpo.run.out_of_memory import OutOfMemory
from test_update import make_updater
policy = load_policy({model!r}, device=torch.device("cpu"), compute_dtype="float32")
updater = make_updater(policy, micro_batch_tokens=60_000)
few = [TrainingSample((5,) * 10, (6,) * 10, (-1.0,) * 10, 1.0)] * 2
updater.update(few)  # what is loaded and allocated the first time
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + {room}, resource.RLIM_INFINITY))
said = {{}}
def of(name, action):
    try:
        action()
    except OutOfMemory as error:
        said[name] = str(error)
of("update", lambda: updater.update([TrainingSample((5,) * 100, (6,) * 300, (-1.0,) * 300, 1.0)] * 128))
examples = [Example(str(i), (), prompt_ids=(5,) * 200) for i in range(64)]
params = SamplingParams(num_samples=16, max_tokens=100, temperature=1.0, seed=0)
of("sampling", lambda: sample(HFEngine(policy), None, None, examples, params, id_prefix="s", policy_version=0))
print(json.dumps(said))
"""


def test_the_message_of_a_real_failure_has_the_batch_and_what_to_lower() -> None:
    paths = [str(ROOT), str(Path(__file__).parent)]
    code = CHILD.format(paths=paths, model=str(ROOT / "assets" / "tiny-rust"), room=ROOM)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    update = said["update"]
    assert update.startswith(
        "memory ran out in the update: train.micro_batch_tokens = 60000, 128 completions, the longest"
    )
    assert (
        "of 400 tokens with its prompt, matrix products in float32, 3,213,824 weights; this process holds 0." in update
    )
    assert "Lower train.micro_batch_tokens first, to 30000; then train.gradient_checkpointing=true" in update
    assert "run.resume=true" in update and "allocate" in update
    assert "in sampling: 64 prompts of at most 200 tokens x 16 completions of at most 100 tokens" in said["sampling"]
    assert "sampling.group_size" in said["sampling"]


def test_a_completion_that_is_a_whole_micro_batch_needs_another_setting(policy: Policy) -> None:
    updater = make_updater(policy, micro_batch_tokens=8)

    def fails(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    policy.completion_logprobs = fails  # type: ignore[assignment]
    with pytest.raises(
        OutOfMemory, match="One completion is a whole micro-batch: try train.gradient_checkpointing=true"
    ):
        updater.update([TrainingSample((1,), (2,) * 9, (-1.0,) * 9, 1.0)])


def test_memory_that_runs_out_in_the_kl_of_the_rewards_is_explained(policy: Policy) -> None:
    class Full:
        """A reference model for which there is no room."""

        def completion_logprobs(self, batch: object, **_: object) -> tuple[torch.Tensor, torch.Tensor]:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")

    completion = Completion("c", (2,) * 9, (-1.0,) * 9, "text", terminated=True, policy_version=0)
    group = Group(Example("p", (), prompt_ids=(1,)), (completion,), (), (1.0,))
    updater = make_updater(policy, reference=Full(), micro_batch_tokens=100)
    with pytest.raises(
        OutOfMemory, match="memory ran out in the KL of the rewards: .*1 completions, the longest of 10"
    ):
        updater.charge_kl([group], torch.ones(1, 1))
    with pytest.raises(OutOfMemory, match="micro_batch_tokens first, to 50; then a lower sampling.max_completion"):
        updater.charge_kl([group], torch.ones(1, 1))


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"), False),
        (EngineDied("out of memory, said the engine"), False),
        ("OutOfMemoryError: CUDA out of memory", True),
    ],
)
def test_which_errors_are_of_memory(error: Exception | str, is_memory: bool) -> None:
    assert ran_out_of_memory(error) == is_memory
    if isinstance(error, Exception):
        with pytest.raises(OutOfMemory if is_memory else type(error)):
            with memory_explained("it", lambda: "large", lambda: "Lower it"):
                raise error
