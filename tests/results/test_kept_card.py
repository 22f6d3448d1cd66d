"""The card of each pretrained net is a kept result: the same scores, length and commit."""

import json
from pathlib import Path

import pytest

from sr.pretrained.card import Card
from sr.pretrained.catalogue import NETS
from sr.results.kept_card import card_report


def test_a_card_becomes_a_report_with_its_emulator() -> None:
    folder = NETS / "quicksrnet_f32m1_x2"
    card, kept = Card.read(folder), card_report(folder)
    assert kept.run == "quicksrnet_f32m1_x2-w8a8_gptq-seed_0"
    assert kept.quality["htp_v73"]["bsd100"] == {
        "protocol": "y",
        "num_images": 100,
        **card.quality["htp_v73"]["bsd100"],
    }
    assert kept.training["total_iterations"] == 30_000 and "seconds" not in kept.training
    assert kept.config["quantization"] == {
        "name": "w8a8_gptq", "numbers": "integer", "weight_bits": 8, "activation_bits": 8, "per_channel": True,
        "chain": ["gptq"],
    }  # fmt: skip
    assert (kept.git["commit"], kept.made_by["commands"]) == (card.commit, card.commands)


def test_a_set_of_unknown_size_is_refused(tmp_path: Path) -> None:
    content = json.loads((NETS / "quicksrnet_f32m1_x2/card.json").read_text())
    content["quality"]["float"]["city"] = {"psnr_y_db": 30.0, "ssim_y": 0.9}
    (tmp_path / "card.json").write_text(json.dumps(content | {"files": {}}))
    with pytest.raises(ValueError, match="has scores of 'city', a set of unknown size; keep its run instead"):
        card_report(tmp_path)
