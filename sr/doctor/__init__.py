"""`python -m sr.doctor`: is everything here that the numbers depend on, and does it give the numbers it should?

finding.py      what a check says, and how a check that fails is reported
environment.py  versions; AIMET, the HTP compiler and the loggers, each tried for real
sets.py         test sets: files, checksums, bicubic rows against the published ones
traps.py        known traps: test images among training images, wrong copies of sets
"""
