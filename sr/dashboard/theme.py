"""Colours, safe for colour-blind readers, and the look of charts: light and dark on the screen, and on paper."""

from typing import Any, Literal

Look = Literal["light", "dark", "paper"]

COLORS = {
    # Okabe and Ito's palette without its yellow, which white paper swallows; the last two extend it. Precision is told
    # by shape and nets by label too, so that no chart speaks by colour alone.
    "light": ["#0072b2", "#d55e00", "#009e73", "#b0578d", "#c98a00", "#3aa0d8", "#7a5cc0", "#8a6240"],
    "dark": ["#4ba3e3", "#ff8f4f", "#2cc5a0", "#e79bc6", "#f2b84b", "#8fd3ff", "#b9a0f0", "#d3a878"],
}
GREY = {"light": "#737a86", "dark": "#9aa3b0"}
BACKDROP = {
    "light": {"paper": "#ffffff", "ink": "#1b1f27", "faint": "#5d6675", "line": "#e3e6eb", "front": "#1b1f27"},
    "dark": {"paper": "#171a21", "ink": "#e8eaee", "faint": "#a1a9b6", "line": "#2c313b", "front": "#e8eaee"},
}
FONTS = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


def colors(families: list[str], look: Look) -> list[str]:
    """Return a colour for each family; baselines and unknown nets are grey."""
    shade = "dark" if look == "dark" else "light"
    palette = COLORS[shade]
    return [
        GREY[shade] if family in ("baseline", "unknown") else palette[index % len(palette)]
        for index, family in enumerate(families)
    ]


def blanks(families: list[str], look: Look) -> dict[str, Any]:
    """Return the values of the charts' blanks: colours, and whether a chart has its own legend."""
    backdrop = BACKDROP["dark" if look == "dark" else "light"]
    return {
        "families": families,
        # The page lists the colours itself, in words that wrap on a phone.
        "legend": {"title": None, "symbolType": "circle", "orient": "right"} if look == "paper" else None,
        "colors": colors(families, look),
        "front_color": backdrop["front"],
        "paper": backdrop["paper"],
        "ink": backdrop["ink"],
        "grey": GREY["dark" if look == "dark" else "light"],
        "accent": COLORS["dark" if look == "dark" else "light"][0],
    }


def config(look: Look) -> dict[str, Any]:
    """Return Vega-Lite's configuration for a look."""
    backdrop = BACKDROP["dark" if look == "dark" else "light"]
    ink, faint, line = (backdrop[name] for name in ("ink", "faint", "line"))
    return {
        "background": "#ffffff" if look == "paper" else "transparent",
        "font": FONTS,
        "view": {"stroke": None},
        "axis": {
            "labelColor": faint, "titleColor": ink, "titleFontWeight": 500, "titleFontSize": 12, "labelFontSize": 11,
            "gridColor": line, "domain": False, "ticks": False, "labelPadding": 6, "titlePadding": 10,
        },
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -14, "titleX": 0},
        "legend": {"labelColor": faint, "titleColor": ink, "symbolFillColor": faint, "symbolStrokeColor": faint},
        "text": {"color": ink, "font": FONTS},
        "rule": {"color": faint},
    }  # fmt: skip
