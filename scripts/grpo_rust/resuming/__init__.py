"""What a resumed run may change, and what is said of it: settings, prompts, and how far the run is.

Promises that a run goes on with other settings or other data only where `changeable` says why that is harmless, and
that everything else is refused with the difference. Not compared: the code of reward functions and losses of the
user's own, the contents of the model's directory, and versions of packages and of Rust.
"""
