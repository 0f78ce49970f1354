"""Long checks of the sandbox, behind `scripts/check_sandbox.py`.

equality  do all backends say what cargo says, on a corpus and on mutants of it?
fuzz      does a program's verdict depend on its company in a batch?
soak      thousands of gradings, some of hostile programs, while workers are killed
"""
