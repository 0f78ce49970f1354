"""A run that watches itself: what is wrong with it is said while it can still be mended, and what would spoil it stops.

    unscored    completions that the host failed to grade, by reason: broken grading never trains
    thresholds  where a run begins to be sick, each number with its reason
    monitors    pure functions: the metrics of all steps so far -> a finding, or none
    watching    asks the monitors before an optimizer step and after a step; warns once, or stops the run
    memory      the memory of trainer, engine and workers, once a step
    dump        what a stopped step was made of: a checkpoint and its batch
    replaying   the same step again, alone
    rehearsal   one pass over the longest micro-batch before the first step

Left out: repairing anything. A stopped run goes on when a person has changed what was wrong.
"""
