"""The policy: a Hugging Face causal language model, its tokenizer, and the log-probabilities of its completions.

Parameters are fp32; with `compute_dtype` bf16 or fp16 the matrix products run under autocast, and weights that are not
trained are stored in that dtype (`grpo.model.frozen`). Dropout stays off: the ratio between two forward passes must
come from the weights alone. A model is a local directory or a name on the hub, in safetensors, without remote code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.utils import logging as transformers_logging

from grpo.errors import BadInput
from grpo.logprobs import linear_logprobs
from grpo.model.alignment import align_weights
from grpo.model.attention import can_pack, install, odd_head_size, takes_ragged
from grpo.model.batching import MicroBatch
from grpo.model.cuda import prepare_cuda
from grpo.model.fim import FimTokens, find_fim
from grpo.model.frozen import store_frozen
from grpo.model.model_problems import (
    directory_problem,
    loading_problem,
    stop_problem,
    tokenizer_problem,
    weights_problem,
)
from grpo.model.packing import Layout
from grpo.model.plain_text import PlainText, special_spellings

__all__ = ["ModelError", "Policy", "load_policy", "untied"]

CHANGED_LOGITS = (  # what scales or caps logits after the head: Gemma 2, Cohere, Granite, Falcon H1
    "final_logit_softcapping",
    "logit_scale",
    "logits_scaling",
    "lm_head_multiplier",
)

transformers_logging.disable_progress_bar()  # one bar is enough: the trainer's


class ModelError(BadInput):
    """The model cannot be loaded, or cannot be used as a policy; the message says what to do."""


@dataclass
class Policy:
    """A model that completes chat prompts, with what sampling and training need."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    compute_dtype: torch.dtype
    stop_ids: frozenset[int]  # any of these tokens ends a completion, in every engine
    is_whole: ClassVar[bool] = True  # in this process: engines may sample with the model, snapshots have to copy it
    packs: bool = field(init=False)  # whether sequences go through the model end to end; else padded
    checkpointed_layers: tuple[torch.nn.Module, ...] = ()  # whose activations the backward pass computes again

    def __post_init__(self) -> None:
        """Install the attention for sequences that lie end to end, where the model allows it."""
        self.packs = can_pack(self.model)
        if not self.packs:
            return
        if takes_ragged(self.device, self.compute_dtype) and (size := odd_head_size(self.model)):
            raise ModelError(
                f"the model's attention heads have size {size}, and the flash kernel takes multiples of 8 up to 256: "
                'set model.dtype = "float32", or use another model'
            )
        install(self.model)

    def encode(self, messages: Sequence[Mapping[str, str]]) -> tuple[int, ...]:
        """Chat messages as prompt tokens, up to and including the header of the assistant's turn.

        A message that spells a control token, such as a program that contains `<|im_end|>`, has no such token.

        Raises: ModelError for messages that the chat template refuses: some know no system message.
        """
        plain, mark = self._plain, self._plain.mark(*(message["content"] for message in messages))
        cut = [{**message, "content": mark.join(plain.pieces(message["content"]))} for message in messages]
        try:
            text = self.tokenizer.apply_chat_template(cut, add_generation_prompt=True, tokenize=False)
        except Exception as error:  # the template's code is the model's, not ours
            roles = ", ".join(message["role"] for message in messages)
            raise ModelError(
                f"the model's chat template refuses messages of the roles {roles}: {error}. Change the prompts, set "
                'data.system_prompt = "none", or use another model'
            ) from error
        return plain.encode_parts(str(text), mark)

    def encode_infill(self, prefix: str, suffix: str) -> tuple[int, ...]:
        """What stands before and after a middle as prompt tokens, in the model's own for filling in the middle."""
        return self._fim.prompt(self._plain.encode(prefix), self._plain.encode(suffix))

    def encode_middle(self, text: str) -> tuple[int, ...]:
        """A middle as tokens, as if the model had written it: the text, and the token that ends it."""
        return (*self._plain.encode(text), self._fim.end)

    def enable_infill(self) -> None:
        """Take prompts to be filled in; from now on what ends a middle ends every completion.

        Raises: ModelError where the tokenizer has no tokens for that, or does not keep a middle's white space.
        """
        if not self._fim.is_exact:
            raise ModelError(
                "the model's tokenizer drops white space that a middle begins with, so programs cannot be joined to "
                'the byte: set data.infill = "chat", or use another model'
            )
        self.stop_ids |= self._fim.stop_ids

    @cached_property
    def _fim(self) -> FimTokens:
        """The tokens for filling in the middle. Raises: ModelError where there are none."""
        if (found := find_fim(self.tokenizer)) is None:
            raise ModelError(
                "the model's tokenizer has no tokens for filling in the middle, as Qwen2.5-Coder's has "
                '<|fim_prefix|>, <|fim_suffix|> and <|fim_middle|>: set data.infill = "chat", or use another model'
            )
        return found

    @cached_property
    def _plain(self) -> PlainText:
        """Encodes what people and programs wrote, in which nothing is a control token."""
        found = find_fim(self.tokenizer)
        return PlainText(self.tokenizer, special_spellings(self.tokenizer) | (found.spellings if found else set()))

    def encode_completion(self, text: str) -> tuple[int, ...]:
        """A completion as tokens, as if the model had written it: the text, and the token that ends the turn.

        Raises: BadInput for a tokenizer that reads control tokens into a text.
        """
        return (*self.encode_start(text), self._end_of_turn)

    def encode_start(self, text: str) -> tuple[int, ...]:
        """The beginning of a completion as tokens, which the model goes on from; none of them is a control token."""
        return self._plain.encode(text)

    @cached_property
    def _end_of_turn(self) -> int:
        """The token that the chat template puts after the assistant's words."""
        turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        ids = self.tokenizer.apply_chat_template(turns, tokenize=True, return_dict=False)
        ends = [token for token in ids if token in self.stop_ids]
        return ends[-1] if ends else min(self.stop_ids)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of a completion, without special tokens, and without the token that ends it."""
        ids = list(token_ids)
        if ids and ids[-1] in self.stop_ids:
            ids.pop()  # a family's token for that may be an ordinary one for its tokenizer
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def autocast(self) -> AbstractContextManager[Any]:
        """The context for every forward pass."""
        enabled = self.compute_dtype != torch.float32
        return torch.autocast(self.device.type, dtype=self.compute_dtype, enabled=enabled)

    def completion_logprobs(
        self, batch: MicroBatch, *, temperature: float, entropy_grad: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Log-probability and entropy of every completion token, given prompt and completion so far.

        The head is applied to trained positions only, and the logits are never in memory: see `grpo.logprobs`.

        Args:
            batch: A micro-batch on this policy's device.
            temperature: The sampling temperature T, > 0.
            entropy_grad: Whether the entropy carries gradient too.
        Returns: logprobs [B, T] fp32 with gradient, entropy [B, T] fp32; 0 outside `batch.mask`.
        """
        logprobs, entropy = self.token_logprobs(batch, temperature=temperature, entropy_grad=entropy_grad)
        return batch.pad(logprobs), batch.pad(entropy)

    def token_logprobs(self, batch: MicroBatch, *, temperature: float, entropy_grad: bool) -> tuple[Tensor, Tensor]:
        """As `completion_logprobs`, the tokens of all completions end to end: both [M]."""
        with self.autocast():
            hidden = self._hidden(batch).index_select(0, batch.predictors)  # [tokens, H]
            head = self.model.lm_head
            return linear_logprobs(
                hidden,
                head.weight,
                batch.token_ids,
                temperature=temperature,
                bias=head.bias,
                entropy_grad=entropy_grad,
            )

    def enable_gradient_checkpointing(self) -> None:
        """Keep the activations between layers only; the backward pass computes those inside the layers again.

        Raises: ModelError for a model that does not support it.
        """
        try:
            self.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        except ValueError as error:
            raise ModelError(f"{error} Set train.gradient_checkpointing to false") from error
        self.checkpointed_layers = self.layers()

    def compile_layers(self, *, backend: str = "inductor") -> None:
        """Compile the part of each layer before its attention, and the part after it, for training passes alone.

        All layers share the code, for every length: it is compiled in the first passes, which takes minutes. An engine
        that samples with the same model runs its layers as they were.

        Args:
            backend: Of `torch.compile`; "aot_eager" traces and generates no code.
        Raises: ModelError for a model that does not pack sequences, or whose layers are not found.
        """
        if not self.packs or not (layers := self.layers()):
            raise ModelError("this model's layers cannot be compiled: set train.compile_layers to false")
        for layer in layers:
            layer.forward = _for_training(layer.forward, backend)

    def layers(self) -> tuple[torch.nn.Module, ...]:
        """The decoder layers."""
        return tuple(layer for layer in self.model.modules() if isinstance(layer, GradientCheckpointingLayer))

    def _hidden(self, batch: MicroBatch) -> Tensor:
        """The last hidden state of every token of the row, [N, H]."""
        layout = batch.layout
        with self._checkpointing():
            if self.packs:
                packed: Tensor = self.model.base_model(
                    input_ids=batch.input_ids[None],
                    position_ids=batch.positions[None],
                    attention_mask=batch.input_ids.new_ones(1, 1, 1, 1),  # 4-d: transformers makes none of its own
                    layout=layout,
                    use_cache=False,
                ).last_hidden_state  # [1, N, H]
                return packed[0]
            input_ids, outputs = batch.input_ids.index_select(0, layout.places), []  # [S]
            for table in layout.tables:
                padded = self.model.base_model(
                    input_ids=table.pad(input_ids),
                    attention_mask=table.pad(torch.ones_like(input_ids)),
                    use_cache=False,
                ).last_hidden_state  # [rows, width, H]
                outputs.append(table.unpad(padded))
            return torch.cat(outputs).index_select(0, layout.own)

    @contextmanager
    def _checkpointing(self) -> Iterator[None]:
        """Checkpoint the chosen layers inside the context: transformers does so where `layer.training` is set.

        The flag is set on the layers alone and not on the modules inside them, so dropout stays off.
        """
        for layer in self.checkpointed_layers:
            layer.training = torch.is_grad_enabled()
        try:
            yield
        finally:
            for layer in self.checkpointed_layers:
                layer.training = False

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Every weight by its name in a checkpoint, detached and not copied: engines sample from these.

        A weight that has several names, as a head that is tied to the embeddings, comes once, by the first.
        """
        yield from untied(self.model)

    def weight_metrics(self) -> dict[str, float]:
        """What is worth logging of the weights that `weights` gave out last; nothing where they are those trained."""
        return {}

    def frozen(self) -> Policy:
        """This policy with gradients off, its matrices in `compute_dtype`: the reference of the KL."""
        self.model.requires_grad_(False)
        store_frozen(self.model, self.compute_dtype)
        return self

    def save(self, directory: Path) -> None:
        """Write an ordinary checkpoint that `transformers` loads: weights (fp32, safetensors), config and tokenizer."""
        self.snapshot()(directory)

    def snapshot(self) -> Callable[[Path], None]:
        """Copy the weights to the CPU's memory; what is returned writes them as `save` does, now or later."""
        weights = {name: tensor.to("cpu", copy=self.is_whole) for name, tensor in untied(self.model)}

        def write(directory: Path) -> None:
            self.model.save_pretrained(directory, state_dict=dict(weights))
            self.tokenizer.save_pretrained(directory)

        return write


def _for_training(forward: Callable[..., Any], backend: str) -> Callable[..., Any]:
    """A layer's forward pass that is compiled where the call has a layout; the engine's calls have none."""
    compiled = torch.compile(forward, dynamic=True, backend=backend)

    def choose(*states: Tensor, layout: Layout | None = None, **others: Any) -> Any:
        return forward(*states, **others) if layout is None else compiled(*states, layout=layout, **others)

    return choose


def load_policy(
    path: str, *, device: torch.device, compute_dtype: str, needs_chat: bool = True, on_cpu: bool = False
) -> Policy:
    """Load model and tokenizer from a checkpoint directory or a hub name.

    Args:
        path: The checkpoint directory, or the name of a model on the hub.
        device: The device that the policy computes on.
        compute_dtype: "float32", "bfloat16" or "float16", for the matrix products.
        needs_chat: Whether it is asked chat messages; one without a template can be asked to fill in the middle.
        on_cpu: Whether the weights stay on the CPU: who shards them puts no more than its shard on the device.
    Returns: the policy with fp32 parameters, gradients on.
    Raises: ModelError where the model is missing, incomplete, not finite, or changes its logits after the head, and
        where there is no chat template, no end-of-turn token, or a tokenizer that does not fit; BadInput where CUDA
        lacks what training needs.
    """
    dtype: torch.dtype = getattr(torch, compute_dtype)
    if device.type == "cuda":
        prepare_cuda(device, dtype)
    model, tokenizer = _load(path)
    config = model.config.get_text_config()
    if changed := [name for name in CHANGED_LOGITS if getattr(config, name, None) not in (None, 0, 1)]:
        raise ModelError(
            f"{path!r} changes its logits after the head ({', '.join(changed)}), which the loss does not know: use "
            "another model"
        )
    if needs_chat and not tokenizer.chat_template:
        raise ModelError(f"the tokenizer of {path!r} has no chat template: use an instruction-tuned model")
    embeddings: Any = model.get_input_embeddings()
    num_embeddings = int(embeddings.weight.shape[0])
    stop_ids = _stop_ids(model, tokenizer)
    for problem in (
        tokenizer_problem(tokenizer, num_embeddings),
        stop_problem(stop_ids, num_embeddings),
        weights_problem(untied(model)),
    ):
        if problem:
            raise ModelError(f"cannot use the model {path!r}: {problem}")
    # `eval` turns dropout off for good: nothing in this package calls `train()`.
    place = torch.device("cpu") if on_cpu else device
    model.to(device=place).eval()  # type: ignore[call-arg]  # transformers' wrapper hides torch's signature
    align_weights(model)
    return Policy(model, tokenizer, device, dtype, stop_ids)


def _load(path: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A complete model in fp32, and its tokenizer. Raises: ModelError."""
    if problem := directory_problem(path):
        raise ModelError(_unloadable(path, problem))
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)  # else it asks whether to run code
        loaded: Any = (
            AutoModelForCausalLM.from_pretrained(  # annotated without the pair that output_loading_info returns
                path, dtype=torch.float32, use_safetensors=True, output_loading_info=True, trust_remote_code=False
            )
        )
    except MemoryError:
        raise  # of the machine, not of the model
    except Exception as error:  # the boundary to transformers, which fails at a damaged file in many ways
        raise ModelError(_unloadable(path, loading_problem(error))) from error
    if missing := sorted(loaded[1]["missing_keys"]):
        raise ModelError(
            f"{path!r} lacks {len(missing)} of the model's weights ({missing[0]}, ...), which would start at random: "
            "get the checkpoint again"
        )
    return loaded[0], tokenizer


def _unloadable(path: str, problem: str) -> str:
    return (
        f"cannot load a model from {path!r}: {problem}. Give model.path a Hugging Face checkpoint directory "
        "(config.json, *.safetensors, tokenizer) or the name of one on the hub"
    )


def untied(model: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    """The weights of a model, each once, by its first name in the state dict."""
    seen: set[tuple[int, torch.Size]] = set()
    for name, weight in model.state_dict().items():
        place = (weight.data_ptr(), weight.shape)
        if place not in seen:
            seen.add(place)
            yield name, weight


def _stop_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Every end-of-sequence token that tokenizer or generation_config names (the latter may hold a list)."""
    generation = getattr(model, "generation_config", None)
    named = [tokenizer.eos_token_id, getattr(generation, "eos_token_id", None)]
    flat = [item for entry in named for item in (entry if isinstance(entry, list) else [entry])]
    return frozenset(item for item in flat if isinstance(item, int))
