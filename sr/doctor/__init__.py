"""Check the installation and the image sets (`python -m sr.doctor`).

finding.py      result of a check, and how errors of a check are reported
environment.py  versions; a test run of AIMET, the HTP compiler and the loggers
data_sets.py    test sets: files, checksums, bicubic PSNR against published values
traps.py        known problems: test images among training images, wrong copies of test sets
"""
