"""Ours beside theirs: what is matched, what is not, and that nothing worse is hidden."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sr.report.comparison import comparison_tables
from sr.report.net_facts import quantized_precision
from sr.report.published import Published, published
from sr.report.record import Report
from sr.report.runs import read_run
from sr.report.table import Row, Table

MakeRun = Callable[..., Path]


def value(**replaced: Any) -> Published:
    content = {
        "source": "paper",
        "title": "A paper",
        "reference": "arXiv",
        "table": "1",
        "label": "small",
        "model": {"name": "quicksrnet", "f": 32, "m": 2},
        "quantity": "psnr_y_db",
        "value": 37.0,
        "training": {"data": "DIV2K", "iterations": 1_000_000},
        "set": "set5",
        "scale": 2,
        "precision": "fp16",
        "protocol": "y",
    }
    return Published(**(content | replaced))


def compared(folder: Path, *values: Published) -> dict[str, list[Row]]:
    return {table.title: table.rows for table in comparison_tables([read_run(folder)], values) if table.rows}


def rows_of(tables: Mapping[str, list[Row]], word: str) -> list[Row]:
    return [row for title, rows in tables.items() if word in title for row in rows]


def test_a_short_run_stands_beside_the_paper_with_both_trainings(make_run: MakeRun) -> None:
    tables = compared(make_run(), value())
    (row,) = tables.pop("set5 x2, protocol y: PSNR in dB, ours | published")
    assert (row["ours"], row["published"], row["precision"], row["published_precision"]) == (36.5, 37.0, "fp32", "fp16")
    assert row["difference"] == pytest.approx(-0.5) and row["scheme"] is None
    assert (row["iterations"], row["budget"], row["published_iterations"]) == (5000, 0.005, 1_000_000)
    assert (row["data"], row["published_data"]) == ("T91 + package:skimage/data", "DIV2K")
    assert row["source"] == "paper"
    assert not tables


def test_the_images_of_the_report_are_named_and_counted(make_run: MakeRun) -> None:
    folder = make_run(data={"train_sources": ["DIV2K", "T91"], "num_images": 891})
    (row,) = rows_of(compared(folder, value()), "PSNR")
    assert row["data"] == "DIV2K + T91 (891)"


@pytest.mark.parametrize(
    "other",
    [
        {"model": {"name": "abpn"}},
        {"model": {"name": "quicksrnet", "f": 32, "m": 5}},
        {"set": "set14"},
        {"scale": 4},
        {"quantity": "latency_ms", "set": None, "protocol": None},
        {"precision": "int8", "value": 0.0, "scheme": {"per_channel": False}},
        {"task": "gan"},
        {"conditions": {"sparsity": 0.2}},
    ],
)
def test_another_net_set_scale_scheme_or_task_is_not_ours(make_run: MakeRun, other: dict[str, Any]) -> None:
    tables = compared(make_run(), value(**other))
    assert not rows_of(tables, "ours | published")
    (row,) = rows_of(tables, "no published value")
    assert (row["run"], row["net"], row["scale"]) == ("default", "quicksrnet", 2.0)


def test_another_protocol_is_listed_and_never_beside_ours(make_run: MakeRun) -> None:
    tables = compared(make_run(), value(protocol="zoo"), value(protocol="zoo", value=36.9), value(protocol="y_only"))
    assert not rows_of(tables, "ours | published")
    zoo, y_only = sorted(rows_of(tables, "another protocol"), key=lambda row: -row["num"])
    assert (zoo["protocol"], zoo["num"]) == ("zoo", 2)
    assert "no border" in zoo["why"]
    assert y_only["protocol"] == "y_only"
    assert y_only["why"].endswith(": protocol=y_only"), "this project has it"


def test_quantized_stands_beside_quantized_of_the_same_scheme(make_run: MakeRun) -> None:
    qat = {"per_channel": True, "chain": ["qat"]}
    schemes = [{}, qat, {"per_channel": True, "chain": ["adaround"]}, {"per_channel": False, "chain": ["qat"]}]
    values = [value(precision="int8", table=str(i), value=36.0 + i, scheme=s) for i, s in enumerate(schemes)]
    rows = rows_of(compared(make_run(), *values), "PSNR")
    assert [(row["table"], row["ours"], row["precision"], row["scheme"]) for row in rows] == [
        ("0", 36.41, "int8", "w8a8_qat"),
        ("1", 36.41, "int8", "w8a8_qat"),
    ]


def test_other_bit_widths_are_not_int8(make_report: Callable[..., Report], make_run: MakeRun) -> None:
    scheme = {"weight_bits": 4, "activation_bits": 8, "chain": []}
    assert quantized_precision(make_report(config={"quantization": scheme})) == "w4a8"
    folder = make_run(config={"quantization": scheme})
    assert not rows_of(compared(folder, value(precision="int8")), "PSNR")


def test_bicubic_is_compared_once_for_all_runs(make_run: MakeRun) -> None:
    runs = [read_run(make_run(run=f"m_{m}")) for m in (1, 2, 3)]
    bicubic = value(model={"name": "bicubic"}, label="bicubic", value=33.674, precision=None)
    tables = {table.title: table.rows for table in comparison_tables(runs, [bicubic])}
    (row,) = rows_of(tables, "PSNR")
    assert (row.get("run"), row["ours"], row["precision"]) == (None, 33.67, None)


def test_a_variant_is_compared_and_told(make_run: MakeRun) -> None:
    small = value(variant={"residual": "input_to_output", "color": "rgb"}, caveat="set not named")
    (row,) = rows_of(compared(make_run(), small), "PSNR")
    assert row["remarks"] == "residual none, theirs input_to_output; set not named"


def test_a_scale_that_a_source_does_not_state_fits_any(make_run: MakeRun) -> None:
    folder = make_run(quality={"float": {"gaming_test": make_score(29.0)}})
    (row,) = rows_of(compared(folder, value(set="gaming", scale=None, caveat="own frames")), "PSNR")
    assert row["difference"] == pytest.approx(-8.0)


def make_score(psnr_db: float) -> dict[str, Any]:
    return {"psnr_y_db": psnr_db, "ssim_y": 0.9, "num_images": 5, "protocol": "y"}


def test_tables_that_repeat_a_value_share_a_row(make_run: MakeRun) -> None:
    (row,) = rows_of(compared(make_run(), value(table="2"), value(table="S1")), "PSNR")
    assert row["table"] == "2, S1"


def test_seeds_fold(make_run: MakeRun) -> None:
    runs = [
        read_run(
            make_run(run=f"seed_{seed}", config={"seed": seed}, quality={"float": {"set5": make_score(36 + seed)}})
        )
        for seed in (0, 1)
    ]
    tables = comparison_tables(runs, [value()], fold_seeds=True)
    (row,) = tables[0].rows
    assert row["num_seeds"] == 2
    assert (row["ours"].mean, row["difference"].mean, row["published"]) == (36.5, -0.5, 37.0)


def test_runs_of_one_name_are_told_by_their_experiments(make_run: MakeRun) -> None:
    runs = [read_run(make_run(experiment=name)) for name in ("one", "two")]
    (table,) = (table for table in comparison_tables(runs, [value()]) if table.rows)
    assert [(row["experiment"], row["run"]) for row in table.rows] == [("one", "default"), ("two", "default")]
    assert [column.key for column in table.filled_columns()][:2] == ["experiment", "run"]
    (alone,) = (table for table in comparison_tables(runs[:1], [value()]) if table.rows)
    assert "experiment" not in [column.key for column in alone.filled_columns()]


def test_a_run_that_went_on_from_others_says_so(make_run: MakeRun) -> None:
    teacher = {"_target_": "sr.tasks.distillation.Distillation", "teacher": {"source": "outputs/large"}}
    started = make_run(config={"init": "outputs/main/before", "task": teacher})
    (row,) = rows_of(compared(started, value()), "PSNR")
    assert row["start"] == "from outputs/main/before, taught by outputs/large"
    (row,) = rows_of(compared(make_run(run="scratch", config={"init": None}), value()), "PSNR")
    assert row["start"] is None


def test_a_net_and_a_task_of_another_kind_are_told_by_their_classes(make_run: MakeRun) -> None:
    config = {"model": {"_target_": "sr.models.srresnet.SRResNet"}, "task": {"_target_": "sr.tasks.gan.Adversarial"}}
    srgan = value(model={"name": "srresnet"}, task="gan")
    srresnet = value(model={"name": "srresnet"})
    (row,) = rows_of(compared(make_run(config=config), srgan, srresnet), "PSNR")
    assert row["published"] == 37.0


def test_every_quicksrnet_size_finds_its_rows_in_the_shipped_numbers(make_run: MakeRun) -> None:
    for f, m in [(32, 1), (32, 2), (32, 3), (32, 5), (32, 7), (32, 11), (64, 11)]:
        model = {"_target_": "sr.models.quicksrnet.QuickSRNet", "f": f, "m": m, "residual": "none"}
        folder = make_run(run=f"f_{f}-m_{m}", config={"model": model})
        tables: list[Table] = comparison_tables([read_run(folder)], published())
        found = {(row["source"], row["precision"]) for table in tables for row in table.rows if row.get("precision")}
        assert found == {("QuickSRNet", "fp32"), ("QuickSRNet", "int8")}
        assert {table.title.split(":")[0] for table in tables if table.rows and "ours |" in table.title} == {
            "set5 x2, protocol y",
            "bsd100 x2, protocol y",
        }


def test_the_config_of_a_run_is_left_as_it_was(make_run: MakeRun) -> None:
    run = read_run(make_run())
    assert run.report is not None
    before = copy.deepcopy(run.report.config)
    comparison_tables([run], published())
    assert run.report.config == before
