"""Makes repair tasks: a broken program, what is said of it, and gold tests that a repair has to pass.

Every row is proven in the sandbox: the broken program fails in the way that its row says, and where a right program is
known, that one builds and passes the gold tests.

program      a right program as the planters see it: its functions, parameters and types
statements   statements with a mistake in them beside the right ones, by error code
items        the same for items
renaming     mistakes in names that are there
reshaping    mistakes in what is there: types, calls, patterns, ownership, punctuation
mistakes     all planters by the error code of rustc that they aim at
planting     a seeded plan: which mistake goes into which program, the codes as equal as possible
source_rows  right programs with gold tests, from the rows of a data set
attempts     failed completions of a run, from its directory
proving      what the sandbox says of right and of broken programs
rows         the rows that are written, and why others are not
counts       the table of error codes, and the manifest
command      the verb `make_dataset.py repair`
"""
