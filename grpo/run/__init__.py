"""What a run leaves behind: its directory, its metrics with their meaning, and how it was made.

A line that was logged is not lost, and no line is written twice when a run is resumed.
"""
