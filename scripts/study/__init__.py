"""Comparing training runs: which runs, what they gained, and the pages that show it; the command is evidence.py.

Promises: every number comes from the completions and metrics that runs left on disk, so a page can be written again
without training; intervals are paired by prompt. Training and evaluating are processes of their own.

    running      training runs and the commands that make them     arms         the runs that are compared
    completions  graded completions on disk, by prompt             gains        differences with intervals
    comparisons  what runs gained                                  curves       metrics by step as SVG
    tables       gains as Markdown tables                          pages        the pages in docs/
    honest       the study of honest rewards, and its page         pretrained   the study of a real model
    formats      the study of the tasks beyond one function        equal_time   what a step costs, and equal time
"""
