"""The checks, one subject a file: functions from `CheckSettings` to figures, listed in `gpu_checks.catalogue`.

A check notes its figures as it measures them. What it cannot do here it says by `Skipped`, and what it finds wrong by
`CheckFailed` with its advice, after all figures are noted. With --small on a CPU everything but CUDA's own runs.
"""
