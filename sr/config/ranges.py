"""Kinds that several settings share."""

from sr.config.kinds import Choice, Number, Whole

FRACTION = Number(least=0, most=1)
POSITIVE_FRACTION = Number(above=0, most=1)
LOSS_WEIGHT = Number(least=0, most=1e9)
RATE_RANGE = Number(least=0, most=10)
LSB_RANGE = Number(least=0, most=255)
DECIBELS = Number(least=0, most=100)
SEED_RANGE = Whole(0, 2**32 - 1)  # what numpy takes
SCALE_FACTOR = Choice(1.5, 2, 3, 4)
PROTOCOL_WORD = Choice("y", "y_only", "rgb", "rgb_crop1", "tf_y")
AUTO_OR_NEVER = Choice("auto", "never")
PRECISION_WORD = Choice("bf16", "fp32")
ACCELERATOR = Choice("auto", "cpu", "gpu")
THREADS = Whole(1, 4096)
