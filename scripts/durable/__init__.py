"""Files that survive a stop of any kind, a crash of the machine included.

journal      results of long work, a line each, from which the same work goes on
write_whole  a text in a file that is there whole or not at all

Left out: what is written, and checkpoints of training, which `grpo` keeps itself.
"""
