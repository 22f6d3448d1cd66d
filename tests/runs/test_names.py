"""What may name a file or a folder."""

from pathlib import Path

import pytest

from sr.runs.names import MAX_BYTES, check_name, file_name, inside, refuse_links_out

WRONG = [
    "", ".", "..", "...", ".git", "-rf", "/tmp/x", "a/b", "../x", "a/../../x", "a\\b", "C:x", "a\nb", "a\tb", "a\0b",
    "\x1b[31mred", "a\u202eb", " a", "a ", "a.", "a*", "x" * (MAX_BYTES + 1), "ü" * MAX_BYTES, None, True, ["a"], {},
]  # fmt: skip


@pytest.mark.parametrize("name", WRONG, ids=repr)
def test_a_name_that_is_no_folders_is_refused_in_one_line(name):
    with pytest.raises(ValueError, match=r"^experiment is a name of one folder, got ") as caught:
        check_name("experiment", name)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "name", ["main", "quicksrnet_table5", "2024-11-02", "v1.2", "größe", "two words", 5, "x" * MAX_BYTES]
)
def test_a_plain_name_stays(name):
    assert check_name("experiment", name) == str(name)


@pytest.mark.parametrize("text", [*(name for name in WRONG if isinstance(name, str)), "../../etc/passwd", "x" * 5000])
def test_any_text_gives_one_file_name(text: str, tmp_path: Path):
    name = file_name(f"{text}")
    assert check_name("file", name) == name
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert "/" not in file_name(f"quality-{text}-y")


def test_a_path_stays_below_its_folder(tmp_path: Path):
    folder = tmp_path / "run"
    (folder / "images").mkdir(parents=True)
    assert inside(folder, "images/x.png") == folder / "images/x.png"
    assert inside(folder, "images/../y.png").resolve() == folder.resolve() / "y.png"
    (folder / "link").symlink_to(tmp_path)
    for name in ("../x", "/etc/passwd", "images/../../x", "link/x", "a\0b", 5, None):
        with pytest.raises(ValueError, match=r"is (not inside|no file) of"):
            inside(folder, name)


@pytest.mark.parametrize("name", ["checkpoints", "a/b/c.json", ".hydra", "run.log"])
def test_a_link_out_of_a_run_folder_is_refused(tmp_path: Path, name: str):
    folder = tmp_path / "run"
    (folder / name).parent.mkdir(parents=True)
    (tmp_path / "linked").symlink_to(folder)
    (folder / "inner").symlink_to(folder / "a")
    refuse_links_out(tmp_path / "linked")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"is a symbolic link that leads out of the run folder"):
        refuse_links_out(tmp_path / "linked")
    (folder / name).unlink()
    refuse_links_out(folder)


def test_earlier_runs_of_wandb_may_link_out_and_its_folder_may_not(tmp_path):
    logs = tmp_path / "run/wandb/offline-run-1/logs"
    logs.mkdir(parents=True)
    (logs / "debug-core.log").symlink_to(tmp_path / "elsewhere.log")
    refuse_links_out(tmp_path / "run")
    (tmp_path / "run/wandb/debug.log").symlink_to(tmp_path / "elsewhere.log")
    with pytest.raises(ValueError, match=r"debug\.log is a symbolic link that leads out"):
        refuse_links_out(tmp_path / "run")
