"""What `bench_loss.py` measures.

heads   the head without logits, full logits, TRL's head      steps   a training step in four layouts
"""
