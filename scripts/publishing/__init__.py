"""A finished run as a folder that can be uploaded: weights, tokenizer, model card; the command is publish.py.

Promises: nothing is published of a run that is unfinished or damaged; every figure of the card comes from the run's
files; the folder names no path, user, host or secret of this machine, and is there whole or not at all. Left out: a
second opinion on the weights; they are those of the checkpoint, whose SHA-256 are compared before.

    finished   the run's files and the checkpoint to publish      data_sets   what it was trained and evaluated on
    private    what must not leave the machine                    header      the card's YAML
    card       the card's text                                    folder      the folder
    converter  a GGUF file by llama.cpp's converter               upload      to the hub
"""
