"""Sections of a recipe that are large enough for a file of their own.

rewards   the reward functions and their weights, and what of them goes together
"""
