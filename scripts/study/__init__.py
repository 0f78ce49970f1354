"""What a comparison of training runs needs: which runs, what they gained, and how that is shown.

Promises: every number comes from the completions and metrics that runs left on disk, so a page can be made again without
training; intervals are paired by prompt. Leaves out training and evaluating, which are processes of their own.

arms -> running -> completions -> gains -> pages, curves
"""
