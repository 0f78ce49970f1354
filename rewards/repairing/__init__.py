"""What a repaired program has to do with the program that was to be repaired, as pure functions on text.

Promises an answer for any two programs, in time linear in their length. Left out: the scores that are made of it
(`rewards.tasks.repair`), and whether the repaired program is right, which gold tests say.

edits      how many tokens were changed, up to a bound
errors     which of the compiler's errors are gone, as far as the compiler got
wording    the prompt and the right answer
messages   a compiler's messages as text for a model, cut at whole messages
"""
