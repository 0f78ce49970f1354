"""Gold tests: tests that the model never sees, of the function that it wrote.

Promises that what is expected stays outside the program's process wherever a row's tests can be read as cases: calls
of the program are evaluated by the sandbox (`sandbox.answers`), and their values compared here. Other rows stay test
modules, which libtest runs inside the program's process. Left out: scores (`rewards.builtin`).

rows         the columns of a row, and of which kind its gold tests are
result       what came of it
run          a completion's code with gold tests, sent to the sandbox, and the result
reading      test modules and `gold_cases` as checks
checks       what must hold, and in plain words why it does not
expressions  what of an expression the program computes, and what is computed here
statements   the variables of a test
operations   methods and operators on terms
computing    numbers, comparisons, and what only the program can say of its own types
constructors the standard library's values
patterns     the patterns of `matches!`
literals     numbers, characters, strings
terms        values, as the program sent them or as they were expected
rewriting    names said in full, so that a program cannot change its arguments
asked        the calls of a row, in which order a program is asked, and what is computed from the answers
own_types    the program's own types, whose values are sent field by field
"""
