"""Pruning: remove the least important layers and channels of a trained net; the result is an ordinary, smaller net.

Modules: `dependency_graph` (which channels must be removed together), `importance` (scores of channels), `filters`
(which channels stay; the classes of conf/filters), `layer_removal` and `layer_importance` (whole layers), `refit`
(least squares for the layer behind a removed one), `narrowed` (the smaller net), `filter_pruning` (the whole step),
`masks` (magnitude pruning).
"""

from sr.pruning.filter_pruning import WEIGHTS, given, narrowed_model, prune
from sr.pruning.filters import Given
from sr.runs.identity import NARROW as FILE

__all__ = ["FILE", "WEIGHTS", "Given", "given", "narrowed_model", "prune"]
"""What other rooms use."""
