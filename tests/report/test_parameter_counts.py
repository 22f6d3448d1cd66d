"""Trainable and frozen parameters are shown apart, as papers report the trainable ones."""

import pytest

from sr.cost.count import cost
from sr.dashboard.axes import axes_of, costs
from sr.models.abpn import ABPN
from sr.report.runs import find_runs
from sr.report.table import parameter_counts, quality_tables, speed_table


@pytest.fixture
def abpn_run(tmp_path, make_run):
    net = ABPN(
        f=28, m=5, scale=3, image_space_conv=False, anchor=True, activation="relu", init="random",
        overparameterize="none",
    )  # fmt: skip
    make_run(cost=cost(net, 16, 16).to_dict())
    return find_runs([tmp_path])


def test_the_published_count_stands_alone_and_the_frozen_one_beside_it(abpn_run):
    for table in (quality_tables(abpn_run)[0], speed_table(abpn_run)):
        headings = [column.heading for column in table.filled_columns()]
        assert headings.count("params") == 1 and headings.count("frozen") == 1 and "all params" not in headings
        assert table.rows[0]["trainable_parameters"] == 43_035
        assert table.rows[0]["frozen_parameters"] == 108


def test_a_report_that_does_not_tell_them_apart_has_all_of_them(make_report):
    assert parameter_counts(make_report(cost={"parameters": 5})) == {"parameters": 5}


def test_the_dashboard_has_one_axis_where_nothing_is_frozen(abpn_run, make_report):
    apart = costs(abpn_run[0].report)
    alike = costs(make_report(cost={"parameters": 5, "trainable_parameters": 5}))
    labels = [[axis.label for axis in axes_of(found) if "arameters" in axis.label] for found in ([apart], [alike])]
    assert labels == [["Trainable parameters", "All parameters"], ["Trainable parameters"]]
