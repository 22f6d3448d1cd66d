"""Placement of labels without overlap; a label without a free place is left out.

Vega-Lite cannot say that, so a specification lists such names in `usermeta`, and whoever draws it sees to them: the
page by Vega's label transform (page/charts.js), which vl-convert does not have, and files by `placed`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

KEPT = ("font", "fontSize", "fontWeight", "fill", "limit")
ASIDE = {"left": -1, "right": 1}
ABOVE = {"top": -1, "bottom": 1}
ALIGN = {-1: "right", 0: "center", 1: "left"}
CHARACTER = 0.56
"""Mean width of a character over the size of its font, of the sans-serif fonts of `theme`."""


class LabelBox(NamedTuple):
    """A rectangle in pixels of the plot."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "LabelBox") -> bool:
        """Return whether the two have a pixel in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def label(text: str, at: str, anchors: list[str], offset: float) -> dict[str, Any]:
    """Describe names for `usermeta["labels"]`; those of the first entry get their places first.

    Args:
        text: name of the layer of texts.
        at: name of the layer of the marks that they belong to, with the same data.
        anchors: where a text may stand, such as "right" or "top-left", the best place first.
        offset: pixels between mark and text.
    """
    return {"text": text, "at": at, "anchors": anchors, "offset": offset}


def placed(vega: dict[str, Any], labels: list[dict[str, Any]], scene: dict[str, Any]) -> dict[str, Any]:
    """Replace labels by texts at fixed places.

    Args:
        vega: what a specification compiles to; changed.
        labels: its `usermeta["labels"]`.
        scene: what Vega draws of it, with all names at their marks.
    """
    root = scene["scenegraph"]["items"][0]
    drawn = {mark["name"]: mark for mark in root["items"] if mark.get("name")}
    texts = {f"{each['text']}_marks" for each in labels}
    taken = [
        _box(item)
        for name, mark in drawn.items()
        if mark["marktype"] == "symbol" and name not in texts
        for item in mark["items"]
    ]
    whole = LabelBox(0, 0, root["width"], root["height"])
    for each in labels:
        name = f"{each['text']}_marks"
        values = []
        for text, mark in zip(drawn[name]["items"], drawn[f"{each['at']}_marks"]["items"], strict=True):
            for box, align in _places(text, mark, each):
                if box.left >= 0 and box.right <= whole.right and not any(box.meets(other) for other in taken):
                    taken.append(box)
                    x = {"left": box.left, "right": box.right, "center": (box.left + box.right) / 2}[align]
                    values.append({"x": x, "y": (box.top + box.bottom) / 2, "align": align, "text": text["text"]})
                    break
        _replace(vega, name, values, drawn[name]["items"])
    return vega


def _box(item: dict[str, Any]) -> LabelBox:
    """Return the box that a point covers."""
    half = item["size"] ** 0.5 / 2
    return LabelBox(item["x"] - half, item["y"] - half, item["x"] + half, item["y"] + half)


def _places(text: dict[str, Any], mark: dict[str, Any], how: dict[str, Any]) -> Iterator[tuple[LabelBox, str]]:
    """Yield the places of a text beside its mark, with their alignment, the best first."""
    height = text["fontSize"]
    width = min(CHARACTER * height * len(str(text["text"])), text.get("limit", float("inf")))
    gap = mark.get("size", 0) ** 0.5 / 2 + how["offset"]
    for anchor in how["anchors"]:
        across = next((ASIDE[word] for word in anchor.split("-") if word in ASIDE), 0)
        down = next((ABOVE[word] for word in anchor.split("-") if word in ABOVE), 0)
        near = gap * (0.7 if across and down else 1)
        left = mark["x"] + across * near - width * (1 - across) / 2
        top = mark["y"] + down * near - height * (1 - down) / 2
        yield LabelBox(left, top, left + width, top + height), ALIGN[across]


def _replace(vega: dict[str, Any], name: str, values: list[dict[str, Any]], items: list[dict[str, Any]]) -> None:
    """Replace the texts of a mark by values with fixed places in the same style."""
    mark = next(mark for mark in vega["marks"] if mark.get("name") == name)
    update = mark["encode"]["update"]
    look = {key: update[key] for key in KEPT if key in update}
    places = {key: {"field": key} for key in ("x", "y", "align", "text")}
    opacity = {"value": items[0]["opacity"] if items else 1}
    mark["encode"] = {"update": look | places | {"baseline": {"value": "middle"}, "opacity": opacity}}
    mark["from"] = {"data": f"{name}_placed"}
    vega["data"].append({"name": f"{name}_placed", "values": values})
