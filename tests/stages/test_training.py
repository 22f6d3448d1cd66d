"""A training of no iterations leaves what stages ask for, and the net of a finished one comes back to the bit."""

import pytest
import torch

from sr.experiment import build, compose, made, run
from sr.models.fingerprint import fingerprint
from sr.models.weights import FLOAT_WEIGHTS, read_weights, save_weights
from sr.runs.files import read_json
from sr.runs.results import results_in
from sr.stages.stage import has_weights
from sr.stages.training import trained_net

NETS = ["abpn", "compact", "edsr_baseline", "erfdn", "espcn", "fsrcnn", "mesrnet_tiny", "quicksrnet_small"]
NETS += ["rfdn", "rrdbnet_tiny", "sesr_m3", "srresnet_tiny", "xlsr", "bicubic"]


@pytest.mark.parametrize("name", NETS)
def test_the_net_from_config_and_file_is_that_of_the_live_task(tmp_path, name):
    config = compose([f"model={name}", "scale=2"])
    task, _ = build(config)
    live = task.deployable()
    save_weights(live, tmp_path / FLOAT_WEIGHTS, {"iterations": 0})
    again = trained_net(made(config.model), tmp_path)
    assert fingerprint(again) == fingerprint(live) and has_weights(again) == has_weights(live)
    assert [p.requires_grad for p in again.parameters()] == [p.requires_grad for p in live.parameters()]
    lr = torch.rand(1, 1 if live.color == "y" else 3, 24, 24)
    with torch.no_grad():
        assert torch.equal(again(lr), live(lr))


def test_a_net_without_weights_is_scored_and_timed_and_says_what_was_left_out(tmp_path):
    settings = ["model=fsr1", "logger=none", "size=32x48", "callbacks.cost.num_repeats=1"]
    run(compose(settings), tmp_path / "run", lambda _: tmp_path)
    report = read_json(tmp_path / "run/report.json")
    assert read_weights(tmp_path / "run") == {} and report["training"]["iterations"] == 0
    assert {"bicubic", "float"} == report["quality"].keys() and report["cost"]["macs_g"] == 0
    assert report["skipped"]["quantize"] == report["skipped"]["export"] == "the net has no weights"
    assert {"commit", "dirty", "versions", "machine", "time"} <= report["made_by"]["evaluate"].keys()
    assert len(report["made_by"]["starts"]) == 1
    for _, content in results_in(tmp_path / "run"):
        assert content["key"] and content["made_by"]
