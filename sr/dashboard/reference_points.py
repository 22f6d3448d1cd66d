"""Published points of quality against latency, to be drawn faintly behind ours: measured on phones by the sources."""

from typing import Any

from sr.report.published import Published, published


def reference_points(protocol: str, set_name: str, scale: float) -> list[dict[str, Any]]:
    """Return the published nets for which one table gives both a score of this case and a latency.

    Args:
        protocol: name of the evaluation protocol.
        set_name: test set.
        scale: upscaling factor; a latency whose scale the source does not state is taken for any.

    Returns:
        Rows {"family", "label", "metric", "quality", "ms", "precision", "source", "table", "device", "remark"}.
    """
    values = published()
    scores = [v for v in values if (v.protocol, v.set, v.scale, v.task) == (protocol, set_name, scale, "regression")]
    times = [v for v in values if v.quantity == "latency_ms" and "batch_size" not in v.conditions]
    return [_reference_point(score, time) for time in times for score in scores if _same_net(score, time)]


def _same_net(score: Published, time: Published) -> bool:
    """Whether two values of one table are of one net."""
    names = [(v.source, v.table, v.label, v.precision) for v in (score, time)]
    return names[0] == names[1] and time.scale in (None, score.scale)


def _reference_point(score: Published, time: Published) -> dict[str, Any]:
    """One point."""
    height, width = (time.conditions.get(key) for key in ("lr_height", "lr_width"))
    remarks = [f"from {height}x{width}" if height else "input size not stated", time.caveat]
    return {
        "family": score.model["name"],
        "label": score.label,
        "metric": score.quantity,
        "quality": score.value,
        "ms": time.value,
        "precision": str(score.precision).upper(),
        "source": score.source,
        "table": score.table,
        "device": time.conditions.get("device", "device not stated"),
        "remark": "; ".join(part for part in remarks if part),
    }
