"""Conversations of several turns: a completion, what the user says of it, the next completion.

Every turn is a `Completion` of its own whose prompt is the whole conversation before it, as the tokens that were
sampled. So the loss sees all tokens of the assistant and none of the user's, whatever else it does.

    playing         which conversations go on, and with which tokens
    conversations   which completions of a group belong together, which are compared, and what each of them earns

Left out: turns that call tools, and what the user says, which is the grader's (`FeedbackGrader`).
"""
