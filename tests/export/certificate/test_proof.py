"""The proof finds what differs, and says what, how much and what was allowed."""

import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from torch import Tensor

from sr.data.pairs import ImagePair
from sr.export.certificate.proof import Closeness, Form, Link, failures, proof_table, prove
from sr.models.interpolation import Nearest

NET = Nearest(scale=2)


def brighter(lsb: int, columns: int) -> Form:
    """Nearest-neighbour upscaling with some columns brighter by some LSB."""

    def run(lr: Tensor) -> Tensor:
        sr = NET(lr).clone() * 0.9
        sr[..., :columns] += lsb / 255
        return sr

    return Form(f"brighter by {lsb} on {columns}", "test", run, None)


@pytest.fixture
def crops() -> list[ImagePair]:
    """One crop of noise."""
    lr = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    return [ImagePair("noise", lr, lr.repeat(2, 0).repeat(2, 1))]


def one_link(crops: list[ImagePair], lsb: int, columns: int, max_lsb: int | None, max_share: float | None) -> Any:
    """The proof of two forms that differ by `lsb` on `columns` of 40 columns."""
    forms = [brighter(0, 0), brighter(lsb, columns)]
    return prove(forms, ([Link(forms[0].name, forms[1].name, max_lsb, max_share)], []), crops, NET)


@pytest.mark.parametrize(
    ("lsb", "columns", "max_lsb", "max_share", "holds"),
    [
        (1, 0, 0, 0.0, True),
        (1, 4, 0, 0.0, False),
        (1, 4, 1, 0.1, True),
        (1, 5, 1, 0.1, False),
        (2, 40, 2, None, True),
        (3, 1, 2, None, False),
        (9, 40, None, None, True),
    ],
)
def test_bytes(crops: Any, lsb: int, columns: int, max_lsb: int, max_share: float, holds: bool) -> None:
    proof = one_link(crops, lsb, columns, max_lsb, max_share)
    (row,) = proof["links"]
    assert row["differing_share"] == columns / 40 and row["largest_lsb"] == (lsb if columns else 0)
    assert row["holds"] == holds and bool(failures(proof)) == (not holds)


@pytest.mark.parametrize(("lsb", "rounding", "allowed"), [(2, 0, 2), (3, 0, 2), (3, 2, 3), (4, 3, 4), (5, 3, 4)])
def test_rounding_is_measured_on_the_file_itself(crops: Any, lsb: int, rounding: int, allowed: int) -> None:
    file, fast, simulation = brighter(0, 0), brighter(rounding, 40)._replace(name="fast"), brighter(lsb, 4)
    link = Link(simulation.name, file.name, 2, None, beside="fast", rounding_lsb=1)
    proof = prove([file, fast, simulation], ([link], []), crops, NET)
    (row,) = proof["links"]
    assert row["largest_lsb"] == lsb and row["max_lsb"] == allowed and row["holds"] == (lsb <= allowed)
    assert bool(failures(proof)) == (lsb > allowed)


def test_a_failure_says_what_was_got_and_what_is_allowed(crops: Any) -> None:
    (line,) = failures(one_link(crops, 3, 4, 1, 0.05))
    assert line.endswith("differ by 3 LSB on 1.0e-01 of the pixels, allowed are 1 LSB on 5.0e-02")


def test_psnr(crops: Any) -> None:
    forms = [brighter(0, 0), brighter(9, 40)]
    names = [form.name for form in forms]
    proof = prove(forms, ([], [Closeness(*names, max_db=0.1), Closeness(*names, max_db=20.0)]), crops, NET)
    strict, loose = proof["closeness"]
    assert not strict["holds"] and loose["holds"]
    assert strict["difference_db"] == pytest.approx(
        proof["forms"][0]["psnr_y_db"] - proof["forms"][1]["psnr_y_db"], abs=1e-3
    )
    (line,) = failures(proof)
    assert line.startswith("PSNR of ") and line.endswith("dB apart, allowed are 0.1")


def test_an_exact_image_has_no_finite_psnr(crops: Any) -> None:
    exact = Form("exact", "test", NET, None)
    proof = prove([exact, exact._replace(name="also")], ([], [Closeness("exact", "also", 0.1)]), crops, NET)
    assert proof["closeness"][0]["holds"] and proof["forms"][0]["psnr_y_db"] is None
    json.dumps(proof, allow_nan=False)
    Console(file=StringIO()).print(proof_table(proof))


def test_table_has_a_row_for_each_form_and_marks_what_is_refused(crops: Any) -> None:
    console = Console(record=True, width=100, file=StringIO())
    console.print(proof_table(one_link(crops, 3, 4, 1, 0.05)))
    text = console.export_text()
    assert "3 LSB, 1.0e-01" in text and "1 LSB, 0.05 refused" in text
