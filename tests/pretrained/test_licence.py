"""Every pretrained net names its training images and their licences; the presets' image sets are all known."""

import json
from pathlib import Path

import pytest

from sr.pretrained.catalogue import NETS
from sr.pretrained.licence import LICENCES, licence_of
from sr.runs.files import read_yaml

CARDS = sorted(NETS.glob("*/card.json"))


def test_there_are_cards() -> None:
    assert len(CARDS) >= 8


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_a_card_names_licence_and_training_data(path: Path) -> None:
    card = json.loads(path.read_text(encoding="utf-8"))
    assert card["data"]["train_sources"]
    assert card["licence"] == licence_of(card["data"]["train_sources"])
    assert "not known" not in card["licence"]


@pytest.mark.parametrize("name", ["mix", "cc0", "photos", "gaming", "div2k"])
def test_the_licences_of_the_image_sets_are_known(repo_root: Path, name: str) -> None:
    sources = [each["path"] for each in read_yaml(repo_root / f"conf/data/{name}.yaml")["sources"]]
    assert sources and set(sources) <= set(LICENCES)


def test_cc0_photographs_allow_any_use(repo_root: Path) -> None:
    sources = [each["path"] for each in read_yaml(repo_root / "conf/data/cc0.yaml")["sources"]]
    assert licence_of(sources).startswith("any use (")
    assert licence_of([*sources, "train/T91"]).startswith("research only (")
    assert licence_of([*sources, "mine"]).startswith("as the training images allow (")
    assert licence_of([]) == "as the training images allow (training images not known)"
