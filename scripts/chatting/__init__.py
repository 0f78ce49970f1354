"""Trying prompts by hand, behind `scripts/chat.py`.

entry         what is typed: prompts of one line or more, and commands
state         how prompts are asked at the moment, and what comes back
commands      what a command such as `:temperature 0.2` changes
tasks         prompts of the data, by their ids
samplers      who answers: an engine of this project, or an API
judging       cargo's verdict, gold tests and every reward of a completion
showing       all that as text for a terminal
conversation  the loop
"""
