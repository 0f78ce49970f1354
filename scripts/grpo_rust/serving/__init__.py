"""Engines outside of the trainer's GPU: servers that somebody started, and a server of our own on GPUs of its own.

Nothing here is imported for a run that samples on the trainer's GPU.
"""
