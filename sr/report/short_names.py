"""Short names of runs: folder names hold every override and are too long for tables and charts."""

import re
from pathlib import Path

from sr.runs.folders import MAX_NAME

HASH = re.compile(r"-([0-9a-f]{8})$")
ROOM = 60
"""Characters; shorter names are kept as they are."""


def parts(name: str) -> list[str]:
    """Return the overrides in a folder's name; a part that was cut off is left out.

    >>> parts("model_espcn-scale_2")
    ['model_espcn', 'scale_2']
    """
    found = HASH.sub("", name).split("-")
    return found[:-1] if len(name) >= MAX_NAME and len(found) > 1 else found


def tail(name: str) -> str:
    """Return the hash at the end of a folder's name, unique in its experiment; empty if it has none.

    >>> tail("model_espcn-init_outputs_release_model_espcn_scale_2-378527d3")
    '~378527d3'
    """
    found = HASH.search(name)
    return f"~{found[1]}" if found else ""


def origin(init: str | None) -> str:
    """Return where a run started from: hash or name of a run's folder, of a file or of a pretrained net.

    >>> origin("outputs/x/model_espcn-init_outputs_x_model_espcn_scale_2-378527d3/float/weights.safetensors")
    'from ~378527d3'
    >>> origin("pretrained/quicksrnet_small"), origin(None)
    ('from pretrained/quicksrnet_small', '')
    """
    if not init or init.startswith("pretrained/"):
        return f"from {init}" if init else ""
    path = Path(init)
    places = path.parts[:-2] if path.parent.name in ("float", "checkpoints") else path.parts
    name = places[-1] if places else init
    return f"from {tail(name) or name}"


def started(name: str, init: str | None) -> list[str]:
    """Return the overrides in a folder's name, with the run that it started from in short.

    >>> started("model_espcn-init_outputs_x_model_espcn_scale_2-scale_3", "outputs/x/model_espcn-scale_2")
    ['model_espcn', 'scale_3', 'from scale_2']
    """
    kept = [part for part in parts(name) if not part.startswith("init_") or part.startswith("init_leave_")]
    if not init or "init_" not in name.replace("init_leave_", ""):  # else it is the sweep's, for all of its runs
        return kept
    model = next((f"{part}-" for part in kept if part.startswith("model_")), "")
    return [*kept, origin(init).replace(model, "", 1)]


def apart(text: str, name: str) -> str:
    """Insert the hash of a run behind the first word of its label, where shortening keeps it.

    >>> apart("espcn scale_3 from scale_2", "model_espcn-init_outputs_x_model_espcn_scale_2-378527d3")
    'espcn ~378527d3 scale_3 from scale_2'
    """
    first, _, rest = text.partition(" ")
    return " ".join(filter(None, [first, tail(name), rest]))


def short_name(name: str, init: str | None) -> str:
    """Shorten a folder's name for a table on the screen.

    Args:
        name: of the run's folder.
        init: what the run started from, of its config.

    Returns:
        The name, or if that is long the hash that tells it apart, the first overrides that fit, and the start.
    """
    if len(name) <= ROOM or not tail(name):
        return name
    told = started(name, init)
    start = told.pop() if told[-1].startswith("from ") else ""
    kept, room = list[str](), ROOM - len(start) - len(tail(name))
    for part in told:
        if kept and len(" ".join([*kept, part])) > room:
            kept.append("...")
            break
        kept.append(part)
    return apart(" ".join(filter(None, [*kept, start])), name)
