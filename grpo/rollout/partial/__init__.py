"""Sampling that new weights interrupt: completions keep the tokens that they have, and go on under the new weights.

    drafts          what is written of a batch, and by which weights; part of a checkpoint
    interruptions   the engine's calls for all batches in flight: stopped where they are, and gone on with

The weights that sampled it are a fact of each token, and so is its log-probability under them. When new weights come is
a matter of time: such a run is not a function of its recipe. Left out: batches that are put together of whatever is
finished first, which would favour short completions.
"""
