"""The algorithm: group relative policy optimisation of a language model against any grader.

Knows tensors, tokens, text and the `Grader` protocol; nothing of Rust. `grpo.loss`, `grpo.advantages` and
`grpo.logprobs` are pure functions on tensors that need torch and nothing else.
"""
