"""Weights: what can be read, what is refused and in which words, and that a refusal changes nothing."""

import json
import pickle
from collections.abc import Callable

import pytest
import torch
from safetensors import safe_open
from torch import nn

from sr.models.blocks import inference_form
from sr.models.weights import LIGHTNING, blended, load_weights, read_weights, save_weights


@pytest.fixture
def small(make: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """QuickSRNet with 8 features."""
    return lambda *overrides, **settings: make("quicksrnet", "model.f=8", "model.m=1", *overrides, **settings)


def same(net: nn.Module, other: nn.Module) -> bool:
    ours, theirs = net.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_safetensors_there_and_back_with_metadata(small, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(small(seed=1), path, {"config": {"scale": 2}, "iterations": 7})
    net = small()
    load_weights(net, read_weights(path), source=str(path))
    assert same(net, small(seed=1))
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["config"]) == {"scale": 2}


def test_our_checkpoint_gives_the_average_where_it_holds_one(small, tmp_path):
    net, average = small(seed=1), small(seed=2)
    state = {f"net.{name}": value for name, value in net.state_dict().items()}
    for content, expected in (
        (state, net),
        (state | {f"average.net.{name}": value for name, value in average.state_dict().items()}, average),
    ):
        torch.save({"state_dict": content, LIGHTNING: "2.6"}, tmp_path / "last.ckpt")
        loaded = small()
        load_weights(loaded, read_weights(tmp_path / "last.ckpt"), source="last.ckpt")
        assert same(loaded, expected)


def test_a_run_folder_gives_its_checkpoint_and_without_one_its_float_weights(small, tmp_path):
    save_weights(small(seed=1), tmp_path / "float/weights.safetensors", {})
    assert torch.equal(read_weights(tmp_path)["conv_last.bias"], small(seed=1).conv_last.bias)
    (tmp_path / "checkpoints").mkdir()
    state = {f"net.{name}": value for name, value in small(seed=2).state_dict().items()}
    torch.save({"state_dict": state, LIGHTNING: "2.6"}, tmp_path / "checkpoints/last.ckpt")
    assert torch.equal(read_weights(tmp_path)["conv_last.bias"], small(seed=2).conv_last.bias)


def test_a_bare_state_dict_whose_names_begin_with_net_is_taken_whole(tmp_path):
    state = {"net.weight": torch.zeros(1), "head.weight": torch.zeros(1)}
    torch.save(state, tmp_path / "other.pth")
    assert read_weights(tmp_path / "other.pth").keys() == state.keys()


class Gadget:
    """Something that unpickling would run."""

    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("none.ckpt", lambda path: None, r"no weights at .*none\.ckpt; give a run folder"),
        ("half.safetensors", lambda path: path.write_bytes(b"\x40\0\0\0"), r"is not a whole safetensors file"),
        ("half.ckpt", lambda path: path.write_bytes(b"PK\3\4"), r"cannot be read as a checkpoint"),
        ("evil.pt", lambda path: torch.save({"a": Gadget()}, path), r"Python objects, which are not loaded for safety"),
        ("plain.pkl", lambda path: path.write_bytes(pickle.dumps(Gadget())), r"cannot be read as a checkpoint"),
        ("list.pt", lambda path: torch.save([1, 2], path), r"holds no state dict of tensors; got list"),
        ("words.pt", lambda path: torch.save({"state_dict": {"a": "b"}}, path), r"got the keys state_dict\. Save"),
        ("other.pt", lambda path: torch.save({"epoch": 3, "ema_w": {}}, path), r"got the keys epoch, ema_w\. Save"),
    ],
)
def test_files_that_are_no_weights_are_refused(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=message):
        read_weights(tmp_path / name)


def refused(net: nn.Module, other: nn.Module, *, leave: tuple[str, ...] = ()) -> str:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ValueError) as caught:
        load_weights(net, other.state_dict(), source="other.safetensors", leave=leave)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items()), "it was changed"
    return str(caught.value)


def test_every_key_that_does_not_fit_is_named(small):
    message = refused(small("model.m=2"), small())
    assert message.startswith("the weights of other.safetensors do not fit this QuickSRNet:")
    assert "missing cnn.4.weight (8, 8, 3, 3)" in message and "missing cnn.4.bias (8,)" in message
    assert "extra cnn.4.weight (8, 8, 3, 3)" in refused(small(), small("model.m=2"))
    message = refused(small(), small("model.f=16"))
    assert "shape of cnn.0.weight: (16, 3, 3, 3) there, (8, 3, 3, 3) here" in message
    assert message.endswith("Set their model and scale")


@pytest.mark.parametrize(("there", "here"), [(2, 4), (4, 3), (3, 2)])
def test_weights_of_another_scale_say_so_and_can_be_taken_but_for_the_last_layer(small, there, here):
    message = refused(small(scale=here), small(scale=there))
    assert f"Their shapes fit x{there}, this net is for x{here}; " in message
    assert message.endswith("init_leave=[conv_last]")
    net, donor = small(scale=here), small(scale=there, seed=1)
    load_weights(net, donor.state_dict(), source="", leave=["conv_last"])
    assert torch.equal(net.cnn[2].weight, donor.cnn[2].weight)
    assert same(net.conv_last, small(scale=here).conv_last)


@pytest.mark.parametrize(("name", "leave"), [("abpn", "anchor.net,cnn.12"), ("sesr_rgb_m3", "anchor.net,conv_last")])
def test_the_layers_to_leave_are_named_for_every_net(make, name, leave):
    message = refused(make(name, scale=2), make(name, scale=4))
    assert "Their shapes fit x4, this net is for x2; " in message and message.endswith(f"init_leave=[{leave}]")
    load_weights(make(name, scale=2), make(name, scale=4).state_dict(), source="", leave=leave.split(","))


def test_x1_5_from_x3_gives_the_layer_but_guesses_no_scale(small):
    assert refused(small(scale=1.5), small(scale=3)).endswith(
        "Set their model and scale; or keep the initial weights of these layers with init_leave=[conv_last]"
    )


def test_a_layer_to_leave_is_that_layer_alone(small):
    net, donor = small("model.m=10"), small("model.m=10", seed=1)
    before = net.cnn[2].weight.clone()
    load_weights(net, donor.state_dict(), source="", leave=["cnn.2"])
    assert torch.equal(net.cnn[2].weight, before)
    assert torch.equal(net.cnn[20].weight, donor.cnn[20].weight)


def test_a_layer_to_leave_that_is_none_is_refused(small):
    message = refused(small(), small(scale=4), leave=("conv_lst",))
    assert message == "init_leave='conv_lst' is no layer of QuickSRNet; it has cnn.0,cnn.2,conv_last"


@pytest.mark.parametrize(
    ("name", "overrides"),
    [("sesr_m3", ()), ("quicksrnet_small", ("model.overparameterize=ecb",)), ("edsr", ("model.f=8", "model.m=2"))],
)
def test_deployed_weights_do_not_start_a_net_that_trains_in_another_form(make, name, overrides):
    net = make(name, *overrides)
    message = refused(net, inference_form(make(name, *overrides, seed=1)))
    assert "These are weights of the inference form, but this net trains in an expanded form" in message
    assert "give the run folder or its checkpoint" in message


def test_weights_trained_in_branches_do_not_start_a_plain_net(small):
    message = refused(small(), small("model.overparameterize=repsr"))
    assert message.endswith("They were trained with branches: set model.overparameterize to the value of their run")


def test_another_net_altogether(make, small):
    assert refused(small(), make("espcn_rgb")).endswith("Set their model and scale")


def test_a_net_without_weights_takes_its_own_file(make, tmp_path):
    save_weights(make("fsr1"), tmp_path / "weights.safetensors", {"iterations": 0})
    load_weights(make("fsr1"), read_weights(tmp_path / "weights.safetensors"), source="")


def test_blended_is_linear_and_keeps_whole_numbers():
    first = {"w": torch.tensor([0.0, 2.0]), "count": torch.tensor(3)}
    second = {"w": torch.tensor([4.0, 0.0]), "count": torch.tensor(9)}
    mixed = blended(first, second, 0.25)
    assert mixed["w"].tolist() == [1.0, 1.5] and mixed["count"].item() == 3


@pytest.mark.parametrize(
    ("second", "alpha", "message"),
    [
        ({"w": torch.zeros(2)}, 1.5, r"in \[0, 1\], got 1.5"),
        ({"w": torch.zeros(3)}, 0.5, "weights of different nets: w differ"),
        ({"v": torch.zeros(2)}, 0.5, "different nets: v, w differ"),
    ],
)
def test_blended_refuses_what_does_not_fit(second, alpha, message):
    with pytest.raises(ValueError, match=message):
        blended({"w": torch.zeros(2)}, second, alpha)


def test_no_message_says_to_remove_a_file(tmp_path):
    (tmp_path / "half.ckpt").write_bytes(b"PK\3\4")
    with pytest.raises(ValueError, match="give a whole copy of it") as caught:
        read_weights(tmp_path / "half.ckpt")
    assert not {"remove", "delete"} & set(str(caught.value).lower().split())


def test_another_net_is_told_in_ten_lines_with_the_names_of_the_file(small):
    state = {f"module.IMDB{i}.c{j}.weight": torch.zeros(64, 64, 3, 3) for i in range(6) for j in range(5)}
    with pytest.raises(ValueError) as caught:
        load_weights(small("model.m=9"), state, source="imdn.pth")
    lines = str(caught.value).splitlines()
    assert len(lines) <= 10 and "extra module.IMDB0.c0.weight (64, 64, 3, 3)" in str(caught.value)
    assert lines[-2].strip() == f"... and {30 + 22 - 6} more"
    assert lines[-1] == "Set their model and scale"


def test_few_mismatches_are_all_told(small):
    net = small()
    state = {f"_orig_mod.{name}": value for name, value in net.state_dict().items()}
    state["_orig_mod.cnn.0.weight"] = torch.zeros(8, 1, 3, 3)
    with pytest.raises(
        ValueError, match=r"shape of _orig_mod\.cnn\.0\.weight: \(8, 1, 3, 3\) there, \(8, 3, 3, 3\) here"
    ):
        load_weights(net, state, source="grey.pth")
