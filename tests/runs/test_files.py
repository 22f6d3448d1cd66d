"""Files are whole or absent, and nothing but our own temporary files is ever removed."""

import errno
import math
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from sr.runs.files import (
    MARK,
    read_json,
    read_yaml,
    remove_leftovers,
    sha256,
    temporary_folder,
    write_atomically,
    write_json,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX links, limits or permissions")
KILLED = """
import sys, time
from pathlib import Path
from sr.runs.files import temporary_folder, write_atomically
def half(path):
    path.write_text("half")
    print("written", flush=True)
    time.sleep(60)
if sys.argv[2] == "file":
    write_atomically(Path(sys.argv[1], "checkpoints/last.ckpt"), half)
else:
    with temporary_folder(Path(sys.argv[1])) as folder:
        half(folder / "a")
"""


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, "old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("error", "said", "advised"),
    [
        (OSError(errno.ENOSPC, "No space left"), "No space left", "; free some space on that disk"),
        (
            OSError(errno.EROFS, "Read-only file system"),
            "Read-only file system",
            "; choose a place that is not read-only",
        ),
        (OSError("broken data stream when writing image file"), "broken data stream when writing image file", ""),
        (OSError(errno.EIO, "Input/output error"), "Input/output error", ""),
        (RuntimeError("the graph has no such node\nstack"), "the graph has no such node", ""),
        (OSError(), "OSError", ""),
    ],
)
def test_the_message_says_what_the_system_said_and_guesses_nothing(tmp_path, error, said, advised):
    def fail(_):
        raise error

    with pytest.raises(OSError, match="could not be written") as caught:
        write_atomically(tmp_path / "a.jpg", fail)
    assert str(caught.value) == f"{tmp_path / 'a.jpg'} could not be written: {said}{advised}"


def test_a_target_that_is_a_folder_is_told_as_that(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match=r"a\.png could not be written: Is a directory$"):
        write_atomically(tmp_path / "a.png", b"x")


@POSIX
def test_a_real_limit_of_the_system_is_told(tmp_path):
    code = (
        "import resource, sys; from pathlib import Path; from sr.runs.files import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); write_atomically(Path(sys.argv[1]), bytes(5000))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], capture_output=True, text=True)
    assert f"OSError: {tmp_path / 'a'} could not be written: File too large\n" in done.stderr
    assert tree(tmp_path) == []


@POSIX
def test_a_link_is_replaced_and_never_written_through(tmp_path):
    (tmp_path / "precious").write_text("my thesis")
    (tmp_path / "report.json").symlink_to(tmp_path / "precious")
    write_atomically(tmp_path / "report.json", "{}")
    assert (tmp_path / "precious").read_text() == "my thesis"
    assert not (tmp_path / "report.json").is_symlink() and (tmp_path / "report.json").read_text() == "{}"


@POSIX
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_writer_left_lies_beside_its_target_and_is_removed(tmp_path, kind):
    (tmp_path / "empty").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "empty")}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "run"), kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(tree(tmp_path / "run")) == 1 and MARK in tree(tmp_path / "run")[0]
    remove_leftovers(tmp_path / "run")
    assert tree(tmp_path) == []


@POSIX
def test_nothing_else_is_removed_and_no_link_is_followed(tmp_path):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    kept = ["a.ckpt", ".running", ".hydra.yaml", ".1.notes.txt", ".4711.last.ckpt", f"a{MARK}b", "checkpoints/1.ckpt"]
    (run / "checkpoints").mkdir(parents=True)
    (elsewhere / f"{MARK}folder").mkdir(parents=True)
    for name in kept:
        (run / name).write_text("x")
    for name in ("precious", f"{MARK}file", f"{MARK}folder/precious"):
        (elsewhere / name).write_text("x")
    links = ["linked", f"{MARK}linked", f"{MARK}file"]
    (run / "linked").symlink_to(elsewhere)
    (run / f"{MARK}linked").symlink_to(elsewhere)
    (run / f"{MARK}file").symlink_to(elsewhere / "precious")
    (run / f"{MARK}ours").mkdir()
    (run / f"{MARK}ours/precious").symlink_to(elsewhere / "precious")
    before = tree(elsewhere)
    remove_leftovers(run)
    assert tree(elsewhere) == before
    found = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_symlink() or path.is_file())
    assert found == sorted([*kept, *links])


def test_a_temporary_folder_ends_with_its_work(tmp_path):
    with pytest.raises(ValueError, match="mine"), temporary_folder(tmp_path / "new") as folder:
        (folder / "a").write_text("x")
        raise ValueError("mine")
    assert os.listdir(tmp_path / "new") == []


def test_json_round_trip_and_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"psnr_y_db": 32.5})
    assert read_json(tmp_path / "a.json") == {"psnr_y_db": 32.5}
    with pytest.raises(ValueError, match=r"^quality\[1\]\.psnr_y_db is not a number"):
        write_json(tmp_path / "b.json", {"quality": [{}, {"psnr_y_db": float("nan")}]})
    assert not (tmp_path / "b.json").exists()


def test_the_psnr_of_equal_images_can_be_kept(tmp_path):
    write_json(tmp_path / "a.json", {"per_image": ({"psnr_y_db": math.inf}, {"psnr_y_db": 1.5})})
    assert [float(each["psnr_y_db"]) for each in read_json(tmp_path / "a.json")["per_image"]] == [math.inf, 1.5]


@pytest.mark.parametrize("text", ['{"half": ', "", "[" * 100_000])
def test_damaged_json_is_named(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_yaml_round_trip_with_shared_parts(tmp_path):
    shared = [1, 2.5, None, True, "text"]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"a": shared, "b": {"c": shared}, "d": {}}))
    assert read_yaml(tmp_path / "a.yaml") == {"a": shared, "b": {"c": shared}, "d": {}}
    (tmp_path / "a.yaml").write_text("")
    assert read_yaml(tmp_path / "a.yaml") is None


BOMB = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else 'x'] * 9)}]" for i in range(12))
MERGES = "\n".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "aliases expand to more than 100000 values"),
        (f"a0: &a0 {{x: 1}}\n{MERGES}", "aliases expand to more than 100000 values"),
        ("a: &a [*a]", "aliases expand to more than 100000 values"),
        ("[" * 200_000, "nested more than 100 levels deep"),
        ("a: " + "{b: " * 200_000, "nested more than 100 levels deep"),
        ("{unclosed", ""),
        ("key: \x00", ""),
        ("a: !!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("a: 1\n---\nb: 2", ""),
        ("a: 2026-99-99", ""),
    ],
)
def test_yaml_that_is_damaged_or_a_bomb_is_refused_at_once(tmp_path, text, why):
    (tmp_path / "a.yaml").write_text(text)
    start = time.perf_counter()
    with pytest.raises(ValueError, match=rf"a\.yaml is not a YAML file to read: .*{why}"):
        read_yaml(tmp_path / "a.yaml")
    assert time.perf_counter() - start < 1


def test_hash_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf")


def test_large_temporary_files_lie_beside_their_target(repo_root):
    without_target = {
        "quantization/aimet.py",  # a few KB that AIMET reads at once
        "quantization/integer.py",  # likewise
        "export/hexagon_target.py",  # a graph that is compiled for its time alone
        "stages/pruning_costs.py",  # likewise
        "devices/elastic.py",  # the meeting place of processes, and their exit messages
        "export/target.py",  # a graph that is checked before the training
        "pretrained/hub.py",  # what is pushed; what is pulled lies beside its target
        "api/functions.py",  # small states of steps, where the caller gives no folder
    }
    package = repo_root / "sr"
    without_run_folder = ("bench/", "doctor/", "upscale/")
    modules = {path.relative_to(package).as_posix(): path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    found = {name for name, text in modules.items() if "tempfile" in text and not name.startswith(without_run_folder)}
    assert found == without_target, "with a target folder, use sr.runs.files.temporary_folder"
