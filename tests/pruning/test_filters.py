"""How many filters stay, and which."""

import pytest

from sr.losses.pixel import L1
from sr.pruning.dependency_graph import Channels, Group
from sr.pruning.filters import Filters, Given
from tests.tasks.tiny import net


def filters(**changes):
    settings = dict(remove_layers=0, importance="magnitude", keep=0.5, scope="global", block=1, num_batches=1)
    return Filters(**settings | changes)


GROUPS = [Group("a", list(range(1, 33))), Group("b", list(range(33, 65)))]
SCORES = {feature: float(feature) for group in GROUPS for feature in group.features}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"keep": 0.75}, [16, 32]),
        ({"keep": 0.75, "scope": "layer"}, [24, 24]),
        ({"keep": 0.6, "scope": "layer"}, [19, 19]),
        ({"keep": 0.6, "scope": "layer", "block": 8}, [16, 16]),
        ({"keep": 0.63, "scope": "layer", "block": 8}, [24, 24]),
        ({"keep": 0.6, "scope": "layer", "block": 16}, [16, 16]),
        ({"keep": 0.51, "block": 32}, [32, 32]),
    ],
)
def test_counts(changes, expected):
    assert list(filters(**changes).counts(GROUPS, SCORES).values()) == expected


def test_the_best_stay_in_their_order():
    ours = net()
    channels = Channels(ours)
    kept = filters(scope="layer").kept(ours, channels, [], L1())
    weights = ours.cnn[0].weight.detach().square().flatten(1).sum(1)
    first = channels.groups()[0].features
    assert kept["cnn.0"] == [first[i] for i in sorted(weights.argsort(descending=True)[:4].tolist())]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"importance": "taylor"}, "filters.importance is magnitude or fisher, got 'taylor'"),
        ({"scope": "net"}, "filters.scope is global or layer"),
        ({"keep": 0}, r"a share in \(0, 1\]"),
        ({"block": 0}, "at least 0; got 0.5, 0, 1, 0"),
        ({"remove_layers": -1}, "at least 0; got 0.5, 1, 1, -1"),
        ({"keep": 1.0}, "keep=1 and filters.remove_layers=0 remove nothing"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        filters(**changes)


def test_removing_all_of_a_layer_is_refused():
    with pytest.raises(ValueError, match=r"would remove all 32 of a; raise filters\.keep, or use filters\.scope=layer"):
        filters(keep=0.4).counts(GROUPS, SCORES)


def test_without_a_share_all_channels_stay():
    ours = net()
    channels = Channels(ours)
    kept = filters(keep=1.0, remove_layers=1, block=32).kept(ours, channels, [], L1())
    assert kept == {group.name: group.features for group in channels.groups()}


def test_given_without_layers_or_widths_says_where_they_are():
    with pytest.raises(ValueError, match=r"under `overrides` in its narrow/narrow\.json"):
        Given(removed=None, widths=None)
