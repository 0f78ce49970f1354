"""Puts `sandbox`, `rewards` and `grpo` together: recipes, building a run from one, planning it, and its report.

The only package that imports all three. `pip install` installs it beside them; the commands in scripts/ are thin.
"""
