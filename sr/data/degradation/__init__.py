"""Degradations: LR images as streams, games and cameras deliver them, instead of clean bicubic ones.

`chain` holds the settings, the other modules one step each, `degraded_map` the cached copies, and `named_copies` the
test sets such as `set5_h264_qp32`.
"""
