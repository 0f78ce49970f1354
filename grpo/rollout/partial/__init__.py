"""Sampling that new weights or a deadline interrupt. After new weights completions keep their tokens and go on.

    drafts          what is written of a batch, and by which weights; part of a checkpoint
    interruptions   the engine's calls for all batches in flight: stopped where they are, and gone on with
    deadline        an engine whose calls end in time, with what there is of every completion

The weights that sampled it are a fact of each token, and so is its log-probability under them. When new weights come is
a matter of time: such a run is not a function of its recipe. Left out: batches that are put together of whatever is
finished first, which would favour short completions.
"""
