"""What the benchmarks measure: `bench_loss.py`, `bench_throughput.py` and `bench_sandbox.py` are their commands.

loss           a loss's head, and whole training steps            *_cost       commands of their own, one cost each
turns          contenders in processes that take turns               settings     what all contenders share
our_side       this trainer as a contender                           trl_side     TRL's trainer as a contender
rewarding      rewards of both sides                                 machine      facts about device and model
naive_grading  grading as the published recipe does it               figures      rows, ratios, rates, hours
"""
