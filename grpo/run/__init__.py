"""What a run leaves behind: its directory, its metrics with their meaning, and how it was made."""
