"""The policy and what feeds it: model and tokenizer, micro-batches, packed attention, LoRA adapters.

Promises log-probabilities of completions that depend on the weights alone: dropout is off, and neither the layout of a
micro-batch nor gradient checkpointing changes them.
"""
