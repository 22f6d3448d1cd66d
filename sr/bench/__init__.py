"""Benchmarks that report ratios: the alternatives run interleaved in one process, because other load varies.

Commands of `python -m sr.bench`: train, data, infer, batches, collapse.
"""
