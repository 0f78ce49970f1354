"""Reads Rust without running it: the code block of a completion, its functions, its tests and their asserts."""
