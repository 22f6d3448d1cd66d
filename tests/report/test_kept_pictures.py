"""Pictures that a run kept: whole files, strips of older runs, and files that cannot be used."""

import json

import numpy as np

from sr.functional.picture import save_png, side_by_side
from sr.report.kept_pictures import kept_pictures, read_pixels
from sr.report.runs import read_run


def test_strips_are_cut_apart(make_run):
    folder = make_run()
    columns = [np.full((40, 40, 3), value, np.uint8) for value in (10, 20, 30)]
    save_png(side_by_side(*columns), folder / "images/set14_zebra.png")
    content = {"files": ["images/set14_zebra.png"], "columns": ["bicubic", "float", "hr"]}
    (folder / "images/images.json").write_text(json.dumps(content))
    (kept,) = kept_pictures(read_run(folder))
    assert (kept.set, kept.image, kept.scale) == ("set14", "zebra", 2)
    assert all(np.array_equal(read_pixels(kept.files[name]), pixels)
               for name, pixels in zip(("bicubic", "float", "hr"), columns, strict=True))  # fmt: skip


def test_a_file_outside_of_the_run_is_not_read(make_run, tmp_path):
    folder = make_run()
    save_png(np.zeros((8, 8, 3), np.uint8), folder.parent / "secret.png")
    (folder / "images").mkdir()
    layers = [{"set": "s", "image": "i", "files": {"hr": "../secret.png"}}]
    (folder / "images/images.json").write_text(json.dumps({"layers": layers}))
    assert list(kept_pictures(read_run(folder))) == []
