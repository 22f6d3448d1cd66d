"""Kinds of a report's values: what readers take is let through, other kinds are refused by the name of their key."""

import pytest

from sr.report.record_shape import CurvePoint, ImageScores, Open, PruningRound, SetScores

ROUND = {"sparsity": 0.5, "iterations": 10, "psnr_y_db": "inf", "curve": [[5, 30.0], [10.0, "inf"]]}
SCORES = {"psnr_y_db": 30.0, "num_images": 1, "protocol": "y", "niqe": 4.5}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ImageScores(), {"psnr_rgb_db": "-inf", "ssim_rgb": 1}),
        (SetScores(), SCORES),
        (SetScores(), SCORES | {"per_image": [{"name": "a", "psnr_y_db": "nan"}], "of_a_later_version": {}}),
        (PruningRound(), ROUND),
        (Open({}), {"anything": None}),
    ],
)
def test_values_that_readers_take_are_let_through(kind, value):
    kind.check("place", value)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (ImageScores(), {"psnr_y_db": True}, r"place\.psnr_y_db must be a number, got true"),
        (ImageScores(), {"ssim_y": 1.0}, "place must have a PSNR"),
        (SetScores(), {"psnr_y_db": 30.0}, "place must have protocol, num_images"),
        (SetScores(), SCORES | {"niqe": None}, r"place\.niqe must be a number, got null"),
        (SetScores(), SCORES | {"per_image": [{"name": "a"}]}, r"place\.per_image\[0\] must have a PSNR"),
        (SetScores(), SCORES | {"per_image": "a"}, r"place\.per_image is a list"),
        (PruningRound(), ROUND | {"curve": [[5]]}, r"place\.curve\[0\] is a list of 2"),
        (CurvePoint(), ["inf", 30.0], r"place\[0\] is a number"),
        (Open({}, required=("chip",)), {"chips": 1}, r"place must have chip, got \['chips'\]"),
        (Open({}), [], "place is a mapping"),
    ],
)
def test_other_kinds_are_refused_by_name(kind, value, message):
    with pytest.raises(ValueError, match=message):
        kind.check("place", value)
