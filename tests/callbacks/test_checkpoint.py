"""How often the state of training is kept."""

import pytest

from sr.callbacks.checkpoint import LastCheckpoint


def test_never_is_refused():
    with pytest.raises(ValueError, match=r"train\.checkpoint_every is a whole number of at least 1, got 0"):
        LastCheckpoint(every=0)
