"""One fingerprint for nets, images and settings, by which results are recognised."""

import hashlib
from typing import Any

import numpy as np
from torch import Tensor, nn


def fingerprint(*parts: Any) -> str:
    """Return the SHA-256 of several parts in order, in hexadecimal.

    Args:
        parts: Nets (names and values of their state), tensors and arrays (shape and values), bytes, and plain values
            (their `repr`).

    >>> fingerprint(nn.Identity(), "w8a8")[:8], fingerprint(nn.Identity(), "w4a8")[:8]
    ('24045a1e', '2e525711')
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, nn.Module):
            for name, value in part.state_dict().items():
                digest.update(name.encode())
                digest.update(_bytes(value) if isinstance(value, Tensor) else repr(value).encode())
        elif isinstance(part, Tensor | np.ndarray):
            digest.update(repr(tuple(part.shape)).encode() + _bytes(part))
        else:
            digest.update(part if isinstance(part, bytes) else repr(part).encode())
    return digest.hexdigest()


def _bytes(values: Tensor | np.ndarray) -> bytes:
    return (values.detach().cpu().numpy() if isinstance(values, Tensor) else values).tobytes()
