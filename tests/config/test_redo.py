"""`redo` names stages; what they left goes, with all that depends on it."""

import pytest

from sr.config.redo import DEPENDENTS, PLACES_OF, remove_results, with_dependents

FILES = [
    "float/weights.json",
    "quantized/qat/last.ckpt",
    "export/export.json",
    "cost.json",
    "report.json",
]
FILES += ["config.yaml", "evaluation/float.json", "evaluation/perceptual.json"]
FILES += ["images/images.json", "images/validation.png"]


@pytest.mark.parametrize(
    ("stages", "left"),
    [
        ([], FILES),
        (["report"], [file for file in FILES if file != "report.json"]),
        (["export"], [*FILES[:2], "config.yaml", "evaluation/perceptual.json", *FILES[-2:]]),
        (["quantize"], ["float/weights.json", "config.yaml", "images/validation.png"]),
        (["train"], ["config.yaml", "images/validation.png"]),
    ],
)
def test_what_a_stage_left_goes_with_all_that_depends_on_it(tmp_path, stages, left):
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x")
    remove_results(tmp_path, with_dependents(stages))
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(left)


def test_an_unknown_stage_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"redo has exprot; the stages are prune, train, evaluate, quantize, .*report"):
        with_dependents(["exprot"])
    with pytest.raises(ValueError, match=r"redo is a list, got 'export'; write redo=\[export\]"):
        with_dependents("export")


def test_dependents_are_stages():
    assert {stage for others in DEPENDENTS.values() for stage in others} <= PLACES_OF.keys()
