"""What a person or another program sees of a run while it trains: bar, lines or JSON, and sentences on what happened.

outputs    the three ways to show a run: a bar, plain lines, JSON events
telling    passes what the training does on to one of them
notices    from a history of metrics to sentences worth saying, as a pure function
outlook    when the run ends and what it costs, so far and in all
grouping   the order of `--help`
durations  as text
"""
