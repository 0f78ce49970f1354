"""Sampling by a `vllm serve` that runs elsewhere: token ids go there, token ids and log-probs come back.

Every prompt is one request for its group; all requests of a call run at the same time, which is what continuous
batching wants, and each has a seed of its own. A server has died when it refuses, breaks off, answers no heartbeat, or
sends no token for too long. A completion that other weights sampled than were handed over last is refused: so one that
was started anew, or that somebody else trains, is noticed at once. To interrupt it, its requests are aborted by name:
then it sends what it has of every completion. To close connections would lose tokens of those that have not ended, and
of no others, so that short completions would become more.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import resource
import threading
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx2
from torch import Tensor

from grpo.engines import Engine, EngineDied, GenerationOutput, SamplingParams
from grpo.engines.served.connection import Connection, WrongServer, refusal, said
from grpo.engines.served.handshake import Needed, refuse_unfit
from grpo.engines.served.weights import WeightsWay
from grpo.errors import BadInput
from grpo.run.stacks import Silence

__all__ = ["ServedEngine", "prompt_seed"]

GENERATE, ABORT = "/inference/v1/generate", "/inference/v1/abort_requests"
NAME, NAMED = "X-Request-Id", "generate-tokens-"  # the header with a request's name, and what vLLM puts before it
RANK = "X-data-parallel-rank"  # a header by which vLLM takes one of its copies of the model
WITHOUT_COPIES = "?include_dp=false"  # workers know of their own copy alone
TOKENS_A_CHUNK = 16  # of a completion that has not ended: a sign of life, and little work here
LOOK_EVERY_S, HEAR_EVERY_S = 0.5, 0.05  # whether all is well; whether it is interrupted
BEAT_EVERY_S, BEAT_S, MISSED_BEATS = 5.0, 5.0, 4  # heartbeats: how often, for how long, and how many may be missed
CONNECT_S = 60.0  # for hundreds of connections at once to a busy server; heartbeats find one that is gone
FIRST = 6  # times as long for the first call: a server compiles, and records graphs
FAR_BELOW = -9000.0  # vLLM's -9999 stands for a log-prob that is no number

Item = TypeVar("Item")


class ServedEngine(Engine):
    """Samples with one server."""

    concurrent = True
    seeds_prompts = True

    def __init__(
        self,
        url: str,
        *,
        stop_ids: Iterable[int],
        needed: Needed,
        way: Callable[[Connection, dict[str, Any]], WeightsWay],
        stuck_after_s: float,
    ) -> None:
        """
        Args:
            url: Of the server.
            stop_ids: Any of these token ids ends a completion.
            needed: What is asked of the server.
            way: How weights go to it, by what it says of itself.
            stuck_after_s: Seconds without a token after which it is stuck; 6 times as many in the first call; 0: never.
        Raises:
            EngineDied: When it does not answer.
            BadInput: When it cannot sample for this run: it was started otherwise, or asks for another key.
        """
        self._connection = Connection(url)
        self._stop_ids, self._needed, self._choose_way = sorted(stop_ids), needed, way
        self._stuck_after_s, self._first = stuck_after_s, True
        self._version = ""  # of the weights that it was given last
        self._abandoned = threading.Event()
        _allow_many_connections()
        self._greet()

    def generate(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[GenerationOutput]:
        """As `Engine.generate`. The requests make progress while the next completion is waited for."""
        params.check(prompts)
        if not self._version:
            raise EngineDied("it has not been given weights")
        yield from self._sample(prompts, params, headers={})

    def probe(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams
    ) -> Sequence[tuple[str, Sequence[GenerationOutput]]]:
        """As `Engine.probe`: of several copies of the model, by `--data-parallel-size`, each samples all prompts."""
        if self._copies == 1:
            return super().probe(prompts, params)
        with ThreadPoolExecutor(self._copies) as pool:
            made = pool.map(
                lambda rank: list(self._sample(prompts, params, headers={RANK: str(rank)})), range(self._copies)
            )
            return [(f"copy {rank}", completions) for rank, completions in enumerate(made)]

    def _sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, headers: dict[str, str]
    ) -> Iterator[GenerationOutput]:
        """Completions of one call, whose requests have these headers."""
        allowed_s = self._stuck_after_s * (FIRST if self._first else 1)
        greedy = params.temperature == 0
        asked = replace(params, num_samples=1) if greedy else params  # vLLM refuses groups of equal completions
        for completion in _stepwise(self._completions(_Call(prompts, asked, headers), allowed_s)):
            for sample in range(params.num_samples) if greedy else [completion.sample]:
                yield replace(completion, sample=sample)
        self._first = False

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """As `Engine.load_weights`. Raises: EngineDied, also when it holds other bits than it was given."""
        self._version = ""
        self._version = self._way.hand_over(self._connection, dict(weights))

    def abandon(self) -> None:
        """As `Engine.abandon`."""
        self._abandoned.set()

    def restart(self) -> bool:
        """As `Engine.restart`: a server is somebody else's, so this looks whether it is back."""
        self._abandoned.clear()
        self._way.forget(self._connection)
        self._greet()
        kept = bool(self._version) and self._connection.ask("/weight_info", "weight_version") == self._version
        self._version = self._version if kept else ""
        self._first = self._first or not kept  # another process has to compile again
        return kept

    def close(self) -> None:
        """Leave the server alone, and remove what was made for it here."""
        self._way.forget(self._connection)
        self._way.close()

    def _greet(self) -> None:
        """Check that the server is there and can sample for this run."""
        server = self._connection
        try:
            found = server.call_workers("grpo_describe")[0]  # the first call of all workers
            refuse_unfit(server.url, found, self._needed)
            server.post(ABORT, {"request_ids": []})  # nothing; but only where completions are given asks it for the key
            gpus, of_a_copy = (server.ask(f"/get_world_size{part}", "world_size") for part in ("", WITHOUT_COPIES))
            self._copies = int(gpus) // int(of_a_copy)
            self._way = self._choose_way(server, found)
        except WrongServer as error:
            raise BadInput(f"the server {server.url} cannot sample for this run: {error}") from error

    async def _completions(self, call: _Call, allowed_s: float) -> AsyncGenerator[GenerationOutput, None]:
        """All completions, each when it ends, while the server is watched."""
        timeout = httpx2.Timeout(None, connect=CONNECT_S)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx2.AsyncClient(timeout=timeout, limits=limits, **self._connection.settings) as client:
            groups = [self._group(client, call, place) for place in range(len(call.prompts))]
            parts = (call.groups(groups), self._watch(client, call, allowed_s), self._interrupt(client, call))
            tasks = [asyncio.create_task(call.run(part)) for part in parts]
            try:
                while (item := await call.ended.get()) is not None:
                    if isinstance(item, Exception):
                        raise item
                    yield item
            finally:
                for task in tasks:
                    task.cancel()  # closes its connection, at which vLLM drops the request
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _group(self, client: httpx2.AsyncClient, call: _Call, place: int) -> None:
        """Sample one prompt's group."""
        if self.interrupted():
            return
        group, name = _Group(call, place, self._version), uuid.uuid4().hex
        call.open.add(NAMED + name)
        headers = {**call.headers, NAME: name}
        async with client.stream("POST", GENERATE, json=self._request(call, place), headers=headers) as response:
            if response.status_code != httpx2.codes.OK:
                text = (await response.aread()).decode(errors="replace")
                error = ValueError if response.status_code == httpx2.codes.BAD_REQUEST else EngineDied
                raise error(f"{self._connection.url}: {refusal(response.status_code, text)}")
            async for chunk in _chunks(response):
                call.signs += 1
                for completion in group.add(chunk):
                    await call.ended.put(completion)
                self.on_step()
        call.open.remove(NAMED + name)
        if group.unfinished:
            raise EngineDied("it broke off before a completion's end")

    def _request(self, call: _Call, place: int) -> dict[str, Any]:
        """vLLM's own description of a prompt's group; nothing is left to the server's defaults."""
        params = call.params
        number = params.numbers[place] if params.numbers else place
        return {
            "token_ids": list(call.prompts[place]),
            "cache_salt": self._version,  # no prefix that other weights have read, in any copy of the model
            "stream": True,
            "sampling_params": {
                "n": params.num_samples,
                "temperature": params.temperature,
                "top_p": params.top_p,
                "max_tokens": params.limit(place),
                "seed": prompt_seed(params.seed, number),
                "stop_token_ids": self._stop_ids,
                "ignore_eos": True,  # one stop set for every engine
                "logprobs": 0,  # of the sampled token
                "detokenize": False,
                "stream_interval": TOKENS_A_CHUNK,
            },
        }

    async def _interrupt(self, client: httpx2.AsyncClient, call: _Call) -> None:
        """Have the server end what it samples, once that is asked for; never returns.

        Again and again: a request may not have begun there, and a server of several copies has as many processes that
        answer, of which one knows it.
        """
        while True:
            await asyncio.sleep(HEAR_EVERY_S)
            if self.interrupted() and call.open:
                call.interrupted = True
                await asyncio.gather(*(self._abort(client, sorted(call.open)) for _ in range(self._copies)))

    async def _abort(self, client: httpx2.AsyncClient, names: list[str]) -> None:
        """Ask for the end of requests. Whether the server is there at all is for streams and heartbeats to say."""
        with suppress(httpx2.HTTPError):
            answer = await client.post(ABORT, json={"request_ids": names}, timeout=BEAT_S)
            if answer.status_code != httpx2.codes.OK:
                raise EngineDied(f"{self._connection.url}{ABORT}: {refusal(answer.status_code, answer.text)}")

    async def _watch(self, client: httpx2.AsyncClient, call: _Call, allowed_s: float) -> None:
        """Raise EngineDied when the server seems dead; never returns."""
        silence, missed = Silence(lambda: call.signs), 0
        waited, next_beat = 0.0, BEAT_EVERY_S
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            waited += LOOK_EVERY_S
            if self._abandoned.is_set():
                raise EngineDied("it was given up")
            if allowed_s and silence.seconds() > allowed_s:
                raise EngineDied(f"it sent no token for {allowed_s:g} s (sampling.stuck_after_s)")
            if waited < next_beat:
                continue
            next_beat = waited + BEAT_EVERY_S
            try:
                answer = await client.get("/health", timeout=BEAT_S)
            except httpx2.HTTPError as error:
                missed += 1
                if missed >= MISSED_BEATS:
                    raise EngineDied(f"it missed {missed} heartbeats one after the other: {said(error)}") from error
            else:
                missed = 0
                if answer.status_code != httpx2.codes.OK:
                    raise EngineDied(f"its engine is dead: /health has status {answer.status_code}")


@dataclass
class _Call:
    """What runs of a call."""

    prompts: Sequence[Sequence[int]]
    params: SamplingParams
    headers: dict[str, str]
    ended: asyncio.Queue[GenerationOutput | Exception | None] = field(default_factory=asyncio.Queue)
    open: set[str] = field(default_factory=set)  # the names of requests that have not ended
    interrupted: bool = False  # whether the server was asked to end them
    signs: int = 0  # of life

    async def groups(self, groups: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Sample all groups at the same time, and say when nothing more comes."""
        await asyncio.gather(*(self.run(group) for group in groups))
        await self.ended.put(None)

    async def run(self, task: Any) -> None:
        """Do a part of the call; what it raises is for the one who waits for completions."""
        try:
            await task
        except httpx2.HTTPError as error:
            await self.ended.put(EngineDied(f"POST {GENERATE}: {said(error)}"))
        except Exception as error:  # the boundary: nobody looks at a task's own result
            await self.ended.put(error)


class _Group:
    """The completions of a prompt, put together from what a server sends."""

    def __init__(self, call: _Call, place: int, version: str) -> None:
        self._call, self._place, self._version = call, place, version
        samples = range(call.params.num_samples)
        self.unfinished: dict[int, tuple[list[int], list[float]]] = {sample: ([], []) for sample in samples}

    def add(self, chunk: Any) -> Iterator[GenerationOutput]:
        """Take what a server has sent; the completions that ended with it, or were aborted. Raises: EngineDied."""
        try:
            for choice in chunk["choices"]:
                token_ids, logprobs = self.unfinished[choice["index"]]
                token_ids += choice["token_ids"] or []
                logprobs += [token["logprob"] for token in (choice["logprobs"] or {}).get("content") or []]
                if choice["finish_reason"] and (made := self._made(choice)).token_ids:
                    yield made
        except (KeyError, TypeError) as error:
            raise EngineDied(f"it sent something else than completions: {str(chunk)[:300]}") from error

    def _made(self, choice: Any) -> GenerationOutput:
        """A completion of which nothing more comes. Raises: EngineDied."""
        token_ids, logprobs = self.unfinished.pop(choice["index"])
        aborted = self._call.interrupted and choice["finish_reason"] == "abort"
        if not aborted and choice["finish_reason"] not in ("stop", "length"):
            raise EngineDied(f"it ended a completion because of {choice['finish_reason']!r}")
        if len(logprobs) != len(token_ids) or not all(FAR_BELOW < logprob <= 0 for logprob in logprobs):
            raise EngineDied(f"{len(token_ids)} tokens have {len(logprobs)} log-probs, or one that is none")
        versions = {span["version"] for span in choice["weight_versions"] or []}
        if versions != {self._version} and token_ids:
            raise EngineDied(
                f"it sampled from the weights {sorted(versions)} and not from those that it was given last, "
                f"{self._version}: it was started anew, or another run gives it weights"
            )
        terminated = choice["finish_reason"] == "stop"
        return GenerationOutput(
            self._place, choice["index"], tuple(token_ids), tuple(logprobs), terminated, finished=not aborted
        )


async def _chunks(response: httpx2.Response) -> AsyncIterator[Any]:
    """What a server sends, as it comes. Raises: EngineDied."""
    async for line in response.aiter_lines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        try:
            chunk = json.loads(data)
        except ValueError as error:
            raise EngineDied(f"it sent what is no JSON: {data[:300]!r}") from error
        if isinstance(chunk, dict) and "error" in chunk:
            found = chunk["error"]
            refused = isinstance(found, dict) and found.get("code") == httpx2.codes.BAD_REQUEST
            raise (ValueError if refused else EngineDied)(f"{response.url}: {str(found)[:500]}")
        yield chunk


def _allow_many_connections() -> None:
    """Let this process have as many files open as it may: a request is a connection.

    After an interruption each completion is a request of its own.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def prompt_seed(seed: int, number: int) -> int:
    """The seed of a prompt's first completion; the others follow it. Below 2**62, so that none leaves vLLM's 64 bits.

    >>> prompt_seed(7, 0) == prompt_seed(7, 0) != prompt_seed(7, 1)
    True
    """
    digest = hashlib.sha256(f"{seed}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 2


def _stepwise(stream: AsyncGenerator[Item, None]) -> Iterator[Item]:
    """An asynchronous stream as an ordinary one: it runs while its next item is waited for."""
    loop = asyncio.new_event_loop()
    try:
        while True:
            try:
                item = loop.run_until_complete(anext(stream))
            except StopAsyncIteration:
                return
            yield item
    finally:
        loop.run_until_complete(stream.aclose())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
