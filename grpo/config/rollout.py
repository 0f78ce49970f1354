"""How completions are sampled, and which of them a step trains on."""

from __future__ import annotations

from dataclasses import dataclass

from grpo.config.addresses import addresses_in, wrong_addresses
from grpo.config.sources import PROTOTYPE, TRL
from grpo.schema import option

__all__ = ["SamplingSection", "RolloutSection"]


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
    stuck_after_s: float = option(
        300.0,
        "an engine in its own process that has neither answered nor done a step of sampling for so long is killed, "
        "with its stacks in engine.log, and started again; 6 times as long for what it does for the first time; 0: "
        "never",
        unit="s",
        low=0,
        high=86_400,
        source="estimated: a step of sampling takes seconds at most, loading and compiling minutes",
    )
    servers: str = option(
        "",
        "vllm: addresses of servers that sample, http://HOST:PORT with commas between, each started with `python -m "
        "grpo.engines.served` (docs/scale/engines.md); one that dies is left out until it is back; empty: none",
    )
    weights_folder: str = option(
        "",
        "a folder that the trainer and all servers see, through which they get new weights; empty: NCCL between GPUs, "
        "on the CPU the memory of this machine, /dev/shm",
    )
    straggler: float = option(
        4.0,
        "a server that takes so many times as long for its part of a batch as the slowest of the others would need for "
        "the longest completion that may be, and 30 s at least, is left out, and others sample its part; 0: never",
        unit="times",
        low=0,
        high=1000,
        source="estimated: parts are of about one size, and equal servers differ by the length of completions",
    )
    wait_for_servers_s: float = option(
        120.0,
        "how long a run waits for a server to come back when none is left",
        unit="s",
        low=0,
        high=86_400,
        source="estimated: a process that a supervisor starts again is there within a minute or two",
    )
    tensor_parallel: int = option(
        1, "vllm: GPUs that share a copy of the model; with data_parallel only", unit="GPUs", low=1, high=64
    )
    data_parallel: int = option(
        0,
        "vllm: copies of the model that sample, on GPUs of their own, which follow the trainer's; 0: one, on the "
        "trainer's GPU",
        unit="copies",
        low=0,
        high=64,
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

    def elsewhere(self) -> bool:
        """Whether completions are sampled outside of the trainer's GPU and process."""
        return bool(self.servers or self.data_parallel)

    def addresses(self) -> list[str]:
        """Of the servers that are named."""
        return addresses_in(self.servers)

    def conflicts(self) -> list[str]:
        """Ways to sample that exclude each other."""
        found = wrong_addresses("sampling.servers", self.servers, key="VLLM_API_KEY")
        if self.elsewhere() and self.engine != "vllm":
            found.append(
                f'sampling.servers and sampling.data_parallel are for vLLM, and sampling.engine = "{self.engine}": use '
                "vllm"
            )
        if self.servers and self.data_parallel:
            found.append(
                f"sampling.servers with sampling.data_parallel = {self.data_parallel}: the servers say themselves how "
                "they divide a model, so use sampling.data_parallel=0"
            )
        if self.tensor_parallel > 1 and not self.data_parallel:
            found.append(
                f"sampling.tensor_parallel = {self.tensor_parallel} without sampling.data_parallel: give it too, 1 for "
                "one copy of the model, which then has GPUs of its own"
            )
        if self.sleep and self.elsewhere():
            found.append("sampling.sleep = true: an engine outside of the trainer's GPU has nothing to free for it")
        if self.elsewhere() and not self.own_process:
            found.append("sampling.own_process = false: a server always has a process of its own")
        return found


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
        "completions from weights older than this are left out, their oldest token counts; 0: no limit, since "
        "rollout.overlap bounds their age",
        unit="updates",
        low=0,
    )
    partial: bool = option(
        False,
        "new weights interrupt what is sampled ahead: completions keep the tokens that they have and go on under the "
        "new weights, each token is corrected for those that sampled it, and the next batch fills the rows that the "
        "longest completions leave free; the run is then no function of its recipe. Needs rollout.overlap and "
        "sampling.engine = paged or vllm in a process of its own, or servers",
    )
    deadline_s: float = option(
        0.0,
        "limit of each call for completions: a step has one call, and one more for each further turn, for the testers, "
        "and for all of these in each refill round. Completions that have no end by then are cut, as by "
        "sampling.max_completion_tokens; the run is then no function of its recipe. Not with rollout.partial; 0: never",
        unit="s",
        low=0,
        high=86_400,
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
    testers: int = option(
        0,
        "completions for every prompt in which the model writes tests alone: it sees the prompt and a signature, and "
        "no code; they are not trained on, and judge the group's codes in the rewards cross_*",
        unit="completions",
        low=0,
        high=4096,
    )
    turns: int = option(
        1,
        "completions of a conversation: after each the user says what the grader found wrong, until there is nothing; "
        "evaluations then play conversations too",
        unit="completions",
        low=1,
        high=100,
    )
    turn_credit: str = option(
        "final",
        "final: all turns of a conversation earn what its last one earns, and conversations are compared; each: a turn "
        "earns what it is worth itself, and is compared with the same turn of the group's other conversations",
        choices=("final", "each"),
    )
    max_conversation_tokens: int = option(
        0,
        "a conversation ends where its prompt, its turns and its next completion might have more than this, or more "
        "than the model's context; 0: as many as its turns can have, and 512 for each of the user's messages",
        unit="tokens",
        low=0,
        high=10_000_000,
        source="estimated: cargo's messages on a program with a few errors have 100 to 400 tokens",
    )
    zero_std_resample_prob: float = option(
        1.0,
        "probability that a prompt whose last group was zero_std is drawn when its turn comes again",
        low=0.01,
        high=1,
    )
    solved_resample_prob: float = option(
        1.0,
        "probability that a prompt whose last group was solved is drawn when its turn comes again; where the group was "
        "zero_std too, the lower of the two probabilities counts",
        low=0.01,
        high=1,
    )
    solved_above: float = option(
        0.9,
        "a group is solved where at least this share of its completions is, of those of which that is known; in "
        "training a strict pass solves a prompt, where its task has no tests of its own its gold tests",
        low=0.01,
        high=1,
    )
