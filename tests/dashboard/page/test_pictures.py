"""Pictures compared: slider, zoom, difference and blocks, and fingers on a phone."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sr.functional.picture import save_png

pytestmark = pytest.mark.browser
MakeRun = Callable[..., Path]
Open = Callable[..., Any]
Ready = Callable[[Any], None]
Names = Callable[[Any], list[str]]
LAYERS = "a=nets%2Fmodel_a%7Cfloat&b=nets%2Fmodel_b%7Cfloat"


def pictured(make_run: MakeRun, make_pictures: Callable[..., None]) -> None:
    make_pictures(make_run(run="model_a"), noise=0)
    make_pictures(make_run(run="model_b", m=5), noise=60)


def column(page: Any, share: float) -> list[int]:
    """The colour of the viewer's canvas at a share of its width, half way down."""
    return page.evaluate(
        """(share) => { const canvas = document.querySelector('.viewer canvas');
        return [...canvas.getContext('2d').getImageData(canvas.width * share, canvas.height / 2, 1, 1).data]; }""",
        share,
    )


def test_the_slider_is_moved_by_mouse_and_keys(
    make_run: MakeRun, make_pictures: Callable[..., None], visit: Open, ready: Ready
) -> None:
    pictured(make_run, make_pictures)
    page = visit(f"#/pictures?{LAYERS}&x=68&y=28&zoom=8")  # all of what is seen is in the spot of noise
    handle = page.get_by_role("slider")
    before = column(page, 0.25), column(page, 0.75)
    assert before[0] != before[1]
    handle.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    assert handle.get_attribute("aria-valuenow") == "80"
    box = page.locator(".viewer").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 30, steps=4)
    page.mouse.up()
    assert handle.get_attribute("aria-valuenow") == "10"
    after = column(page, 0.25)
    assert after != before[0]  # here B is seen now
    assert "split=0.1" in page.url
    page.reload()
    ready(page)
    assert page.get_by_role("slider").get_attribute("aria-valuenow") == "10"
    assert column(page, 0.25) == after


def test_zoom_is_shared_by_all_pictures(make_run: MakeRun, make_pictures: Callable[..., None], visit: Open) -> None:
    pictured(make_run, make_pictures)
    page = visit("#/pictures?mode=all")
    assert page.locator(".tile").count() == 7  # LR, bicubic, two runs in FP32 and INT8, HR
    hashes = """() => [...document.querySelectorAll('.tile canvas')].map((canvas) => canvas.toDataURL())"""
    before = page.evaluate(hashes)
    page.locator(".tile .viewer").first.hover()
    page.mouse.wheel(0, -400)
    page.wait_for_function("location.hash.includes('zoom=')")
    after = page.evaluate(hashes)
    assert all(one != two for one, two in zip(before, after, strict=True))
    page.get_by_role("button", name="whole").click()
    page.wait_for_function("location.hash.includes('zoom=1.00')")


def test_differences_and_blocks_are_maps_with_a_scale(
    make_run: MakeRun, make_pictures: Callable[..., None], visit: Open, ready: Ready
) -> None:
    pictured(make_run, make_pictures)
    page = visit(f"#/pictures?mode=difference&limit=32&{LAYERS}&x=68&y=28&zoom=8")
    assert column(page, 0.5)[:3] == [255, 234, 70]  # 60 LSB are beyond the end of the scale
    page.get_by_label("Scale ends at").select_option("automatic")
    ready(page)
    assert page.locator(".scalebar").inner_text().split()[-4:] == ["64", "LSB", "of", "luma"]
    page.get_by_role("button", name="Blocks").click()
    ready(page)
    assert "block pattern 0.00 LSB" in page.locator(".note").first.inner_text()  # A is HR itself


def test_on_a_phone_nothing_is_wider_than_the_screen_and_fingers_work(
    make_run: MakeRun, make_pictures: Callable[..., None], visit: Open
) -> None:
    pictured(make_run, make_pictures)
    phone = {"viewport": {"width": 375, "height": 700}, "has_touch": True, "is_mobile": True}
    wide = "document.documentElement.scrollWidth"
    for address in ("#/compare", "#/training", "#/published", "#/run/nets%2Fmodel_a"):
        assert visit(address, **phone).evaluate(wide) <= 375, address
    page = visit(f"#/pictures?{LAYERS}", **phone)
    assert page.evaluate(wide) <= 375
    page.get_by_role("button", name="whole").tap()
    page.wait_for_function("location.hash.includes('zoom=1.00')")
    finger = """(places) => { const viewer = document.querySelector('.viewer');
      viewer.setPointerCapture = () => {};
      const box = viewer.getBoundingClientRect();
      const send = (kind, id, x, y) => viewer.dispatchEvent(new PointerEvent(kind, { pointerId: id, bubbles: true,
        pointerType: 'touch', clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
      send('pointerdown', 1, 0.45, 0.5); send('pointerdown', 2, 0.55, 0.5);
      send('pointermove', 2, 0.85, 0.5); send('pointerup', 1, 0.45, 0.5); send('pointerup', 2, 0.85, 0.5); }"""
    page.evaluate(finger)
    page.wait_for_function("Number(new URLSearchParams(location.hash.split('?')[1]).get('zoom')) > 3")


def test_the_grid_of_a_net_for_half_scales_is_seen(
    make_run: MakeRun, make_pictures: Callable[..., None], visit: Open
) -> None:
    folder = make_run()
    make_pictures(folder, noise=0)
    report = json.loads((folder / "report.json").read_text())
    report["config"]["scale"] = 1.5
    (folder / "report.json").write_text(json.dumps(report))
    pictures = folder / "images/set5_bird"
    made = np.array(Image.open(pictures / "hr.png"))
    made[::3, ::3] += 12  # blocks of x1.5 have 3 pixels a side
    save_png(made, pictures / "float.png")
    page = visit("#/pictures?mode=blocks")
    found = re.findall(r"block pattern ([\d.]+) LSB", page.locator("body").inner_text())
    assert max(map(float, found)) > 2
