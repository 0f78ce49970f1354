"""Training on several ranks, processes that torchrun starts: one on each GPU, or several on a CPU.

Rank 0 conducts: it alone has the prompts, the engine, the grading, the logs and the terminal. Whatever needs all ranks
(an update, a checkpoint, new weights for the engine) it announces as an order, and then all ranks make the same calls
(`Team.order`, `follow`). Weights, gradients and Adam's moments are sharded by FSDP2.

    place     what torchrun tells a process; without torch
    meeting   how the ranks of one start find each other
    team      the process groups, orders, and errors that all ranks agree on
    following the loop of a rank that waits for orders
    sharding  `fully_shard` on a policy's layers and on the computation of log-probs
    policy    a policy whose weights are shards; its whole weights for engines and checkpoints
    lora      the same with adapters
    dealing   which rank computes which micro-batch
    updater   the update, dealt out
    moments   Adam's moments as one file of each rank, read on any number of them

Promises: the loss weights are those of the whole optimizer batch, and gradients are summed, so the update is that of
one process up to the order of sums. Left out: float16, moments of 8 bits, tensor parallelism, ranks that come and go
during a run.
"""
