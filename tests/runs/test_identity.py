"""A started run goes on with the settings it was started with, or not at all."""

import pytest

from sr.runs.identity import check_data, lock_config, read_config

CONFIG = {
    "scale": 2,
    "model": {"m": 2, "f": 32},
    "logger": {"mode": "offline"},
    "data": {"root": "/a", "batch_size": 16},
}


def test_the_same_config_may_go_on(tmp_path):
    lock_config(tmp_path, CONFIG)
    lock_config(tmp_path, CONFIG)


def test_a_changed_setting_is_refused_by_name(tmp_path):
    lock_config(tmp_path, CONFIG)
    with pytest.raises(ValueError, match=r"model\.m: 2 before, 5 now"):
        lock_config(tmp_path, CONFIG | {"model": {"m": 5, "f": 32}})


def test_the_machine_may_change(tmp_path):
    lock_config(tmp_path, CONFIG)
    lock_config(tmp_path, CONFIG | {"logger": {"mode": "online"}, "data": {"root": "/elsewhere", "batch_size": 16}})
    lock_config(tmp_path, CONFIG | {"ckpt": "none"})


def test_a_setting_that_came_with_newer_code_does_not_make_a_run_useless(tmp_path):
    old = CONFIG | {"callbacks": {"quantize": {"_target_": "sr.callbacks.quantize.Quantize", "protocol": "y"}}}
    lock_config(tmp_path, old)
    new = CONFIG | {"callbacks": {"quantize": {"_target_": "sr.stages.quantize.Quantize"}}, "train": {"protocol": "y"}}
    lock_config(tmp_path, new)


def test_a_part_that_was_empty_or_off_is_another_setting(tmp_path):
    lock_config(tmp_path, CONFIG | {"export": {"engines": {}}, "callbacks": {"export": {"_target_": "x"}}})
    with pytest.raises(ValueError, match=r"export.engines: \{\} before, \{'litert'"):
        lock_config(tmp_path, CONFIG | {"export": {"engines": {"litert": {"a": 1}}}})
    with pytest.raises(ValueError, match=r"callbacks.export: .* before, None now"):
        lock_config(tmp_path, CONFIG | {"callbacks": {"export": None}})


def test_other_training_images_are_refused(tmp_path):
    check_data(tmp_path, {"fingerprint": "a", "num_images": 3})
    check_data(tmp_path, {"fingerprint": "a", "num_images": 3})
    with pytest.raises(ValueError, match="training images are not those"):
        check_data(tmp_path, {"fingerprint": "b", "num_images": 3})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not a YAML file to read"),
        ("- 1", "is not a config"),
        (
            "a: &a [x, x]\n"
            + "".join(f"a{i}: &a{i} [{', '.join(['*a' + (str(i - 1) if i else '')] * 9)}]\n" for i in range(9)),
            "aliases",
        ),
    ],
)
def test_a_config_that_cannot_be_read_is_named_at_once(tmp_path, text, message):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=rf"config\.yaml .*{message}.*remove the folder to start anew"):
        read_config(tmp_path)
