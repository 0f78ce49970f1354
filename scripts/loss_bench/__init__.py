"""The two halves of `scripts/bench_loss.py`: the head by itself, and the layout of a training step."""
