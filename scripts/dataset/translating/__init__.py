"""One Python task with asserts, as a Rust task with a signature and gold cases, without a model.

asserts        tests in Python, rewritten so that their calls are recorded
recorder       runs in a process of its own: the reference on the inputs of the tests
reordering     there: sets and maps in another order than Python's
reference      starts that process, and reads what was recorded
calls          the calls in the tests of a task, and what they return
choosing       one type for each parameter and the result, over the calls that agree
inferring      the Rust type of Python values
joined         values that Python tells apart and their Rust type does not
rust_literals  a Python value as Rust text
naming         Rust names of functions and parameters
english        the words of a task, from Python to Rust
translate      one task: a row, or the reason why there is none
"""
