"""Sampling by `vllm serve`, on this or another machine: vLLM's own endpoints, and nothing else between the machines.

    command      the command that starts a server for a run, also as `python -m grpo.engines.served`
    worker       what that command adds to vLLM's workers: weights from a file, and questions about what they hold
    connection   requests to one server
    handshake    whether a server can sample for a policy
    weights      the ways that weights go: a folder that both see, or NCCL
    own_folder   a folder for that, also removed where its process was killed
    engine       the engine
    keeper       ends a server of ours when its trainer has ended
    owned        the engine with a server of its own on this machine, for tensor and data parallelism

The endpoints that take weights ask for no key, whatever `--api-key` says: a server belongs into a network whose
machines trust each other. `worker` runs inside vLLM; here vLLM is imported by `weights` alone, where it sends by NCCL.
"""
