"""Chips by name."""

import pytest

from sr.export.hexagon.chips import CHIPS, chips, emulated


def test_names_numbers_and_versions() -> None:
    found = {
        chip.name: (chip.soc_model, chip.arch) for chip in chips(["SM8450", "SM8550", "SM8650", "SM8750", "SM8850"])
    }
    assert found == {"SM8450": (36, 69), "SM8550": (43, 73), "SM8650": (57, 75), "SM8750": (69, 79), "SM8850": (87, 81)}
    assert len({chip.soc_model for chip in CHIPS.values()}) == len(CHIPS)


def test_no_phone_has_an_estimate() -> None:
    assert not [chip.name for chip in CHIPS.values() if chip.estimates and chip.name.startswith("SM")]


def test_an_unknown_chip() -> None:
    with pytest.raises(ValueError, match=r"unknown chip SM1; known: .*SM8450 \(Snapdragon 8 Gen 1\)"):
        chips(["SM8450", "SM1"])


def test_a_version_without_a_chip() -> None:
    assert emulated(69).name == "SM8450"
    with pytest.raises(ValueError, match="no chip has an HTP of version 70; versions: 68, 69, 73"):
        emulated(70)
