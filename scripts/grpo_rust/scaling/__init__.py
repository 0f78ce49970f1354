"""What a recipe needs on several GPUs, by formula: who trains and who samples, memory, traffic, cores, bottleneck.

Every figure of a GPU is an assumption with its source in `gpus`; nothing here was measured on one.
`scripts/simulate.py` runs the same costs through time.
"""
