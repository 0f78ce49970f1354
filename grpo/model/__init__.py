"""The policy: a causal language model with its tokenizer, micro-batches for it, and adapters."""
