"""A prompt by hand: a model that is loaded when it is asked for, in a process of its own.

The dashboard's process has no torch and no sandbox; `answering` has both, and ends with the dashboard or when it is
told to. The two exchange lines of JSON.

    trying      the dashboard's end      answering   the process that samples and grades
"""
