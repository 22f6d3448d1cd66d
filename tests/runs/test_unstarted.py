from pathlib import Path

from sr.runs.lock import claim
from sr.runs.unstarted import AT_EACH_START, remove_unstarted


def started(folder: Path) -> Path:
    """Make what each start writes."""
    for name in (*AT_EACH_START, ".running"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_a_folder_without_results_goes(tmp_path: Path):
    remove_unstarted(started(tmp_path / "run"))
    remove_unstarted(tmp_path / "never")
    (tmp_path / "empty").mkdir()
    remove_unstarted(tmp_path / "empty")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_anything_else_stays_whole(tmp_path: Path):
    for name in ("config.yaml", "notes.txt", "checkpoints/last.ckpt", ".hydra/mine.yaml"):
        folder = started(tmp_path / name.replace("/", "_"))
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("kept")
        before = sorted(folder.rglob("*"))
        remove_unstarted(folder)
        assert sorted(folder.rglob("*")) == before


def test_a_folder_that_another_process_holds_stays(tmp_path: Path):
    folder = started(tmp_path / "run")
    with claim(folder):
        remove_unstarted(folder)
        assert (folder / "failed.json").is_file()


def test_nothing_is_removed_through_a_link(tmp_path: Path):
    outside = started(tmp_path / "outside")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.hydra").symlink_to(outside / ".hydra")
    remove_unstarted(tmp_path / "run")
    assert (outside / ".hydra/config.yaml").is_file() and (tmp_path / "run/.hydra").is_symlink()
