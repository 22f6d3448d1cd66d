"""Qualcomm chips with a Hexagon tensor processor (HTP), by their part number."""

from collections.abc import Iterable
from typing import NamedTuple


class Chip(NamedTuple):
    """Chip as the compiler needs it.

    Args:
        name: Part number.
        soc_model: The compiler's number of the chip.
        arch: Version of its HTP; chips of one version give the same pixels.
        product: Product name.
        estimates: Whether the compiler estimates times for it. It does for a few chips, and for no phone.
    """

    name: str
    soc_model: int
    arch: int
    product: str
    estimates: bool


# Each tested with onnxruntime-qnn 2.7: the compiled file contains the chip and the version.
LAST_ROUNDING_DOWN = 69  # HTP versions up to this one make pictures slightly darker: `biases.lift_biases`
CHIPS = {
    chip.name: chip
    for chip in (
        Chip("SM8350", 30, 68, "Snapdragon 888", False),
        Chip("SM8450", 36, 69, "Snapdragon 8 Gen 1", False),
        Chip("SM8475", 42, 69, "Snapdragon 8+ Gen 1", False),
        Chip("SM8550", 43, 73, "Snapdragon 8 Gen 2", False),
        Chip("SM8650", 57, 75, "Snapdragon 8 Gen 3", False),
        Chip("SM8750", 69, 79, "Snapdragon 8 Elite", False),
        Chip("SM8850", 87, 81, "Snapdragon 8 Elite Gen 5", False),
        Chip("SA8540P", 62, 68, "automotive", True),
        Chip("SA8775P", 52, 73, "automotive, as SA8255P and SA8650P", True),
        Chip("QCS9100", 77, 73, "industrial", True),
        Chip("SA8797P", 72, 81, "automotive", True),
    )
}


def chips(names: Iterable[str]) -> list[Chip]:
    """Return chips by their part numbers.

    Raises:
        ValueError: A name is unknown; the message lists the known ones.

    >>> [chip.arch for chip in chips(["SM8450", "SM8550"])]
    [69, 73]
    """
    names = list(names)
    if unknown := [name for name in names if name not in CHIPS]:
        known = ", ".join(f"{chip.name} ({chip.product})" for chip in CHIPS.values())
        raise ValueError(f"unknown chip {', '.join(unknown)}; known: {known}")
    return [CHIPS[name] for name in names]


def emulated(arch: int) -> Chip:
    """Return the chip that represents an HTP version in the emulator.

    Raises:
        ValueError: No chip has this version.

    >>> emulated(73).name
    'SM8550'
    """
    for chip in CHIPS.values():
        if chip.arch == arch:
            return chip
    known = ", ".join(str(arch) for arch in sorted({chip.arch for chip in CHIPS.values()}))
    raise ValueError(f"no chip has an HTP of version {arch}; versions: {known}")


def estimated(arch: int) -> Chip:
    """Return the chip with estimates whose HTP version is nearest; its estimates order the files for a version.

    Args:
        arch: HTP version, for example of a phone, for which the compiler gives no estimate.

    >>> [estimated(arch).name for arch in (68, 69, 73, 75, 79, 81)]
    ['SA8540P', 'SA8540P', 'SA8775P', 'SA8775P', 'SA8797P', 'SA8797P']
    """
    return min((chip for chip in CHIPS.values() if chip.estimates), key=lambda chip: abs(chip.arch - arch))
