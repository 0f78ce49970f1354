"""A run on several ranks, as torchrun starts them: what rank 0 does beside its run, and what the others do.

    parts      what scripts/train.py and scripts/sft.py build, alone or together with other ranks
    joining    how a process becomes one of the ranks, and what is refused then
    together   the sharded policy and its updater
    following  the other ranks
    restarting what torchrun has started anew goes on from its last checkpoint

Without torchrun only `parts` and `restarting` are loaded, and these import nothing of the others.
"""
