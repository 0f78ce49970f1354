"""Settings of different sections of a recipe that exclude each other, or do nothing together, by subject.

groups    rewards that compare the completions of a group
partial   sampling that new weights interrupt
"""
