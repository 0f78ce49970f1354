"""What the benchmarks measure: `bench_loss.py`, `bench_throughput.py` and `bench_sandbox.py` are their commands.

loss_heads     the head without logits, full logits, TRL's head      loss_steps   a training step in four layouts
turns          contenders in processes that take turns               settings     what all contenders share
our_side       this trainer as a contender                           trl_side     TRL's trainer as a contender
rewarding      rewards of both sides                                 machine      facts about device and model
naive_grading  grading as the published recipe does it               figures      rows, ratios, rates, hours
"""
