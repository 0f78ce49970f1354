"""Puts `sandbox`, `rewards` and `grpo` together: recipes, composing a run from one, planning it, and its report.

The only package that imports all three. `pip install` installs it beside them; the commands in scripts/ are thin.

    recipe           every setting of a run                 arguments        the command line that makes one
    compose          from a recipe to a trainer             sandbox_pool     from a recipe to sandbox workers
    engine_choice    which engine a recipe gets             checks           the grader's checks by name
    plan             what a run is going to do: run_size, resources, time_estimate, memory_estimate, known_sizes,
                     prompt_counts
    rows             rows and texts from outside
    report           one page that shows a run              cli              exit codes and messages of every command
"""
