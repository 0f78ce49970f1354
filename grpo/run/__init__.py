"""What a run leaves behind: its directory, its metrics with their meaning, and how it was made. And how it ends early:
asked to, at a limit of time or cost, out of memory, or stuck.

A line that was logged is not lost, and no line is written twice when a run is resumed. `growing_file` reads a log while
another process writes it.
"""
