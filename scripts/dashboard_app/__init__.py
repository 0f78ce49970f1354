"""The dashboard: runs watched in a browser while they train, and every completion of theirs looked at.

`scripts/dashboard.py` starts it. `dashboard_notebook` is the marimo app and holds no more than widgets; the other
modules read and draw, and need no marimo. Promises: of the logs only what is new is read; a log that a resume cut short
is read anew; a line that is not complete yet is not there yet; completions stay on the disk, and an index of byte
offsets finds them. Whatever a model, a program or a data set wrote is text: `markup` makes elements, and escapes every
string that it did not make. Nothing is written into a run directory.

    completion_index  completions by step, task, outcome and mistake
    live_run          one run as it grows      hub               all runs, read in a thread
    markup            elements                 highlighting      Rust in colours
    reasons           why a reward was paid    completion_view   one completion, one group
    comparing         runs side by side        panels            pictures, mistakes over time, time and money
    look              the style sheet          asking            a prompt by hand, in a process of its own
"""
