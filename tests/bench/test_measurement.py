"""The machine that figures were taken on."""

import json
from pathlib import Path

from sr.bench.measurement import Measurement, format_machine, machine, processor


def test_the_file_says_where_and_with_what() -> None:
    content = json.loads(json.dumps(Measurement(setting={"a": 1}, figures={"b_ms": 2.0}, tables=[]).to_dict()))
    assert content["figures"] == {"b_ms": 2.0}
    assert content["versions"]["torch"]
    assert content["machine"].keys() == machine().keys()
    assert f"{machine()['num_cores']} cores" in format_machine()


def test_the_processor_is_named(tmp_path: Path) -> None:
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nmodel name\t: Some CPU 3000\n")
    assert processor(listing) == "Some CPU 3000"
    assert processor(tmp_path / "none")
