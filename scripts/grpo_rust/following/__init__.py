"""Follows a run from a process of its own, and feeds its metrics to trackers: TensorBoard, W&B, trackio, MLflow, Oxen.

Promises: trackers are neither loaded nor called in the trainer, and cannot slow, stop or change a run; the follower
reads whole lines of `metrics.jsonl` and `evals.jsonl` and sends each step once, also over resumes; a tracker that fails
is told of once, tried again later, and keeps no other from its metrics; a trainer that is killed leaves a follower that
sends the rest and ends. Left out: completions, checkpoints and the report, which stay in the run's directory.

    process    the trainer's side: starts the follower, passes on what it says, waits for it in the end
    __main__   the follower: `python -m grpo_rust.following RUN` also sends a run that has ended
    feeding    one tracker: what is new, what failed, when it is tried again
    news       the new lines of the logs, in an order        sent       what a tracker has already, on disk
    trackers   which there are, their packages, how they are opened
    to_*       one tracker each
    oxen, oxen_commit   a run in an Oxen repository, and one commit, in a process of its own
"""
