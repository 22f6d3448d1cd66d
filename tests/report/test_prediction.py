"""The predictor against the points that it was fitted on and, one by one, against those that it was not."""

import numpy as np
import pytest

from sr.report.prediction import Plain, left_out_errors, measured, plain_net, predict
from sr.report.published import published


def net(f: int, m: int, *, residual: bool = False, scale: int = 2, size: tuple[int, int] = (512, 512)) -> Plain:
    return Plain(f, m, scale, residual, *size)


def test_the_points_are_those_of_the_tables():
    points = measured(published())
    assert len(points) == 25  # table 1: 2; table 2: 7 and 7 with a residual; table 3: ABPN; table 6: 5; AI Hub: 3
    assert (net(32, 2, size=(540, 960)), 2.24) in points
    assert (net(28, 5, residual=True), 2.17) in points and (net(28, 5), 1.42) in points
    residual = next(time for each, time in points if each == net(32, 5, residual=True))
    assert residual == pytest.approx(1.42 / 0.65)


def test_points_left_out_are_predicted_within_the_error_that_is_stated():
    errors = np.abs(left_out_errors(measured(published())))
    made = predict(net(32, 2))
    assert made.mean_error_share == pytest.approx(errors.mean()) and made.mean_error_share < 0.12
    assert made.largest_error_share == pytest.approx(errors.max()) and made.largest_error_share < 0.35
    assert made.fitted_on.startswith("25 published INT8 latencies")


def test_the_specs_come_in_the_published_order():
    specs = [(32, 1), (32, 2), (32, 3), (32, 5), (32, 7), (32, 11), (64, 11)]
    times = [predict(net(*spec)).predicted_ms for spec in specs]
    assert times == sorted(times)


def test_what_the_residual_of_abpn_costs():
    with_it, without = predict(net(28, 5, residual=True)), predict(net(28, 5))
    for made, published_ms in ((with_it, 2.17), (without, 1.42)):
        assert abs(made.predicted_ms / published_ms - 1) < made.largest_error_share
    assert 0.15 < 1 - without.predicted_ms / with_it.predicted_ms < 0.5, "published: 35 %"


def test_nets_of_runs():
    quicksrnet = {"f": 32, "m": 2, "scale": 2, "residual": "none"}
    assert plain_net(quicksrnet, "quicksrnet", (540, 960)) == net(32, 2, size=(540, 960))
    assert plain_net(quicksrnet | {"residual": "input_to_output"}, "quicksrnet", (9, 9)).residual
    assert plain_net(quicksrnet | {"residual": "nearest"}, "quicksrnet", (9, 9)) is None, "nothing published has it"
    assert plain_net({"f": 28, "m": 5, "scale": 3, "anchor": True}, "abpn", (360, 640)).residual
    assert plain_net({"f": 16, "m": 5, "scale": 2}, "sesr", (540, 960)) is None
    assert plain_net(quicksrnet | {"scale": 1.5}, "quicksrnet", (540, 960)) is None
