"""Benchmarks whose figures are ratios: what is compared takes turns in one process, since machines are not quiet.

Commands of `python -m sr.bench`: train, data, infer, collapse.
"""
