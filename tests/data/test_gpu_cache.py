"""Patches gathered on a device are byte for byte those of the host; what does not fit stays with the host."""

from itertools import islice

import pytest
import torch

from sr.data import gpu_cache
from sr.data.gpu_cache import GpuCache, ResidentImages, log
from sr.data.pairs import ImagePair
from tests.data.test_patches import made, noise, same

CPU = torch.device("cpu")


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_a_device_cuts_the_same_patches(scale: float, augment: bool):
    pairs = noise(scale, [(20, 14), (8, 32), (6, 6)])
    host = made(pairs, scale=scale, augment=augment)
    device = made(pairs, scale=scale, augment=augment, cutter=ResidentImages(pairs, host.ratio, 6, CPU))
    for ours, theirs in islice(zip(device, host, strict=True), 100):
        assert same(ours, theirs)
        assert ours[1].is_contiguous(memory_format=torch.channels_last)


def test_a_stream_goes_on_anywhere():
    pairs = noise(2, [(20, 14)])
    images = ResidentImages(pairs, made(pairs).ratio, 6, CPU)
    assert same(next(made(pairs, start=77, cutter=images)), list(islice(made(pairs), 78))[77])


def test_an_hr_image_of_several_copies_is_stored_once():
    lr, hr = noise(2, [(20, 14)])[0][1:3]
    pairs = [*noise(2, [(8, 32)]), ImagePair("a", lr, hr), ImagePair("b", 255 - lr, hr)]
    host = made(pairs)
    images = ResidentImages(pairs, host.ratio, 6, CPU)
    assert len(images._hr.pixels) == hr.shape[0] * hr.shape[1] + 16 * 64
    for ours, theirs in islice(zip(made(pairs, cutter=images), host, strict=True), 40):
        assert same(ours, theirs)


def test_few_patches_are_gathered_at_once(monkeypatch):
    pairs = noise(2, [(20, 14), (8, 32)])
    host = made(pairs)
    monkeypatch.setattr(gpu_cache, "AT_ONCE", 2 * host.batch_size * 12 * 12 + 1)
    device = made(pairs, cutter=ResidentImages(pairs, host.ratio, 6, CPU))
    for ours, theirs in islice(zip(device, host, strict=True), 100):
        assert same(ours, theirs)
        assert ours[1].untyped_storage().nbytes() == 2 * ours[1].numel()  # what one gather made


def test_on_a_cpu_nothing_is_copied():
    assert GpuCache("auto").images(made(noise(2, [(20, 14)])), CPU) is None


def test_images_that_do_not_fit_stay_with_the_host_and_it_is_said(monkeypatch, caplog):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 2000))
    with caplog.at_level("WARNING", logger=log.name):
        assert GpuCache("auto").images(made(noise(2, [(20, 14)])), torch.device("cuda", 0)) is None
    assert "do not fit into half" in caplog.text


def test_an_unknown_word_is_refused():
    with pytest.raises(ValueError, match=r"machine\.gpu_cache must be auto or never, got 'always'"):
        GpuCache("always")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_cuts_the_same_patches():
    pairs = noise(2, [(20, 14), (8, 32)])
    device = made(pairs, cutter=GpuCache("auto").images(made(pairs), torch.device("cuda", 0)))
    for ours, theirs in islice(zip(device, made(pairs), strict=True), 70):
        assert same((ours[0].cpu(), ours[1].cpu()), theirs)
