"""What a residual costs: one row for each net and chip that was estimated with and without it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sr.results.kept_estimates import reduced_estimates
from sr.results.residual_table import residual_rows


def changed(row: dict[str, Any], microseconds: dict[str, int], **model: Any) -> dict[str, Any]:
    return row | {"model": row["model"] | model, "microseconds": microseconds}


def test_both_residuals_beside_the_net_without(grid: Path) -> None:
    kept = reduced_estimates(grid)
    plain, _ = kept.nets
    spatial = changed(plain, {"SA8775P": 1600, "SA8540P": 9}, residual="nearest")
    both = {"htp/a": kept, "htp/b": replace(kept, nets=[plain, spatial])}
    (row,) = residual_rows(both, {"htp/a": 3, "htp/b": 4})
    assert list(row) == [
        "quicksrnet f32 m2", "x2", "512x512", "SA8775P", "0.400", "0.500", "20.0%", "1.600", "75.0%",
        "[3](#run-3), [4](#run-4)",
    ]  # fmt: skip


def test_other_nets_and_sizes_do_not_compare(grid: Path) -> None:
    kept = reduced_estimates(grid)
    plain, with_residual = kept.nets
    for other in (with_residual | {"lr_height": 9}, changed(with_residual, {"SA8775P": 500}, m=5)):
        assert residual_rows({"htp/a": replace(kept, nets=[plain, other])}, {"htp/a": 1}) == []
