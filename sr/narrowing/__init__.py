"""Filter pruning: a trained net loses its least important layers and channels, physically: an ordinary, smaller net.

Modules: `layers` (which whole layers go), `importance` (what a feature is worth), `filters` (which ones stay; the
classes of conf/filters), `costs` (what a net costs, on the CPU and as the HTP compiler estimates it), `cutting` (the
whole step, and the files that it leaves). Which layers can go is `sr.models.depth`; which channels belong together, and
how they are cut out, `sr.models.channels` and `sr.models.narrow`.
"""

from sr.narrowing.costs import figures
from sr.narrowing.cutting import given, prune
from sr.narrowing.filters import Given
from sr.rundir.identity import NARROW as FILE

__all__ = ["FILE", "Given", "figures", "given", "prune"]
"""What other rooms use."""
