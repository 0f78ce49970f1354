"""Rewards from a group's pass matrix: which code passes which test suite.

Promises pure functions from the matrix to numbers from 0 to 1, NaN where nothing can be said; the same number for the
same text; and that nothing a completion wrote itself counts in its favour. Left out: how the matrix comes about
(`rewards.cross`), and the claim that codes that agree are right: codes that share a mistake, with test suites that
share it too, outvote the others.

pass_matrix       which code passes which suite, who wrote it, and which texts are copies
majority          shares of the others: of the suites a code passes, of the codes a suite accepts; CodeT's agreement
calibrated        the probability that a code, or a suite, is right, under a generative model
gold_calibration  the model's parameters, from groups whose codes ran against gold tests
worth             what a suite is worth: it accepts what is right, and tells the wrong codes and the mutants apart
separation        how well a score tells right codes from wrong ones of their group
shares            quotients that are NaN where there is nothing to divide by
"""
