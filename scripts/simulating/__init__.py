"""The pipeline of a run as a simulation of events: sampling, grading, training and new weights, on any number of GPUs.

Who waits for whom is as in `grpo.rollout` and `sandbox.workers`; how long each part takes comes from finished runs
(`measured`) or from assumptions about GPUs (`assumed`). The same seed gives the same events. Left out: evaluations,
checkpoints, conversations of several turns, failures, and whatever a machine does beside the run.
"""
