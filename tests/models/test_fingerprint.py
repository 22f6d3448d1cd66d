import numpy as np
import torch

from sr.models.fingerprint import fingerprint


def test_nets_and_images_have_fingerprints_of_their_own() -> None:
    torch.manual_seed(0)
    first, second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    found = {fingerprint(first), fingerprint(second), fingerprint(np.zeros((2, 3))), fingerprint(np.zeros((3, 2)))}
    assert len(found) == 4 and fingerprint(first) in found


def test_a_tensor_counts_as_its_values_whatever_its_strides() -> None:
    image = torch.arange(6.0).reshape(2, 3)
    assert fingerprint(image) == fingerprint(image.T.contiguous().T) == fingerprint(image.numpy())
    assert fingerprint(image) != fingerprint(image.T)
