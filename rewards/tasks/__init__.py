"""What a model may be asked to do with Rust: one file per task.

Promises that a task is one file here with a `TASK` in it: its prompt, how the program is read from an answer, what of
the answer is judged, and its own rewards. `known` finds every such file; nothing else lists them. Left out: making
data for them (scripts/), running programs (`sandbox`) and the rewards that all tasks share (`rewards.builtin`).

task      what a task says of itself
function  write a function with its tests: the task of a row that names none
known     all tasks, by the name that a row's column `task` has
"""
