"""Rewards from running every code of a group against every test suite of the group.

The completions of one group answer the same prompt; each is split into its code and its test suite. Promises pure
functions from the pass matrix to numbers from 0 to 1, NaN where nothing can be said; the same number for the same text;
and that nothing a completion wrote itself counts in its favour. Left out here: running programs, and the claim that
codes that agree are right: codes that share a mistake, with test suites that share it too, outvote the others.

parts             a program as code and test suite
aligning          a suite as another code can be tested with it
meaning           whether another code gives the words of a suite another meaning
members           who takes part
plan              which suites run on which codes, and the matrix that this gives
submit            the crossings of groups in the sandbox, while they are sampled
result            how a group is crossed, and what that gave
tester_prompt     how an answer with tests alone begins
pass_matrix       which code passes which suite, who wrote it, and which texts are copies
majority          shares of the others: of the suites a code passes, of the codes a suite accepts; CodeT's agreement
calibrated        the probability that a code, or a suite, is right, under a generative model
gold_calibration  the model's parameters, from groups whose codes ran against gold tests
calibrate_file    the same from graded completions on disk
worth             what a suite is worth: it accepts what is right, and tells the wrong codes and the mutants apart
shares            quotients that are NaN where there is nothing to divide by
"""
