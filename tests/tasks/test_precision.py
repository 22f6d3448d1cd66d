"""A machine that lacks a precision says so before the first step."""

import pytest
import torch

from sr.tasks.precision import check_machine, check_precision, log


def test_an_unknown_word_is_refused():
    with pytest.raises(ValueError, match=r"train\.precision must be fp32 or bf16, got 'fp16'"):
        check_precision("fp16")


def test_a_gpu_without_bf16_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    with pytest.raises(ValueError, match=r"Tesla T4 cannot compute in bf16; set train\.precision=fp32"):
        check_machine("bf16", torch.device("cuda", 0))
    check_machine("fp32", torch.device("cuda", 0))


@pytest.mark.parametrize("has_it", [True, False])
def test_a_cpu_that_emulates_bf16_is_told_of(monkeypatch, caplog, has_it):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_it)
    with caplog.at_level("WARNING", logger=log.name):
        check_machine("bf16", torch.device("cpu"))
    assert ("train.precision=fp32 is faster" in caplog.text) != has_it
