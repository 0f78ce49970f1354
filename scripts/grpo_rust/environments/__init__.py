"""The tasks, rewards and sandbox of a recipe as environments of other libraries' trainers and evaluators.

Promises the scores that training and evaluation here give: the same rows, rubric, weights and grader. A verdict that
the host could not give is an error or no score, never 0. Each module needs its library; nothing else loads one.
Left out: rewards that compare completions of a group, which these libraries score one by one.

    tasks          the rows of a recipe, and one grader on one pool for them
    for_verifiers  a taskset and `load_environment` for verifiers, extra `verifiers`
    for_openenv    an environment and its server for OpenEnv, extra `openenv`
    for_trl        `environment_factory` of TRL's GRPOTrainer
"""
