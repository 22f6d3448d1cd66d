"""The published numbers: all there, whole, and consistent with each other where the sources repeat themselves."""

from collections import Counter
from pathlib import Path

import pytest

from sr.metrics import PROTOCOLS
from sr.report.published import FOREIGN_PROTOCOLS, SOURCES, Published, published


def values(**wanted: object) -> list[Published]:
    return [value for value in published() if all(getattr(value, key) == item for key, item in wanted.items())]


def one(**wanted: object) -> float:
    (value,) = values(**wanted)
    return value.value


def test_every_table_of_the_main_source_is_there_in_full() -> None:
    counted = Counter(value.table for value in values(source="QuickSRNet"))
    assert counted == {
        "1": 3 * 2 + 3 + 2,
        "figure 4": 3,
        "2": 7 * 6 + 7 * 2,
        "3": 11 * 6 + 11,
        "4": 3 * 5,
        "5": 3 * 2,
        "6": 5,
        "x1.5": 1 + 3 * 2,
        "S1": 7 * 3 * 4 * 2,
        "S2": 7 * 3 * 4,
    }


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"table": "S1", "label": "f32-m2", "set": "set5", "scale": 2, "precision": "fp16"}, 37.12),
        ({"table": "S1", "label": "f64-m11", "set": "urban100", "scale": 4, "precision": "int8"}, 25.72),
        ({"table": "S2", "label": "f32-m7", "set": "set14", "scale": 3}, 0.8335),
        ({"table": "2", "label": "f32-m5", "scale": 3, "precision": "int8", "quantity": "psnr_y_db"}, 28.72),
        ({"table": "2", "label": "f64-m11", "quantity": "latency_ms"}, 7.63),
        ({"table": "3", "label": "ESPCN", "scale": 2, "precision": "int8", "quantity": "psnr_y_db"}, 30.19),
        ({"table": "3", "label": "EDSR", "quantity": "latency_ms"}, 37.95),
        ({"table": "4", "label": "f64-m11", "scheme": {"per_channel": True, "chain": ["adaround"]}}, 31.99),
        ({"table": "5", "label": "FSR1.0", "quantity": "ssim_y"}, 0.8707),
        ({"table": "x1.5", "label": "f32-m5 proposed"}, 35.13),
        ({"source": "MESRGAN", "label": "MESRGAN", "quantity": "perceptual_index"}, 3.13),
        (
            {
                "source": "QuickSRNet",
                "table": "1",
                "label": "ABPN without residual with tricks",
                "quantity": "latency_ms",
            },
            1.42,
        ),
        ({"source": "QuickSRNet", "table": "figure 4", "label": "f64-m11"}, 1.8),
        ({"source": "ABPN", "label": "ABPN of the challenge", "precision": "fp32"}, 30.22),
        ({"source": "SESR course project", "table": "section 5.1"}, 34.915),
        ({"source": "ABPN course project", "table": "figure 3"}, 29.98),
        ({"source": "papers", "set": "urban100", "scale": 3, "quantity": "psnr_y_db"}, 24.46),
        ({"source": "AIMET model zoo", "label": "SESR-XL", "precision": "int8"}, 32.92),
    ],
)
def test_single_values(wanted: dict[str, object], expected: float) -> None:
    assert one(**wanted) == expected


def test_latency_by_target_resolution_grows() -> None:
    rows = sorted((value.conditions["lr_height"], value.value) for value in values(table="6"))
    assert rows == [(270, 0.69), (360, 0.95), (540, 2.24), (720, 4.25), (1080, 8.15)]
    batches = sorted((v.conditions["batch_size"], v.value) for v in values(label="MESRGAN", quantity="latency_ms"))
    assert batches == [(1, 155), (2, 299), (4, 596), (8, 1204), (16, 2402)]


def test_quantization_never_gains_in_the_main_source() -> None:
    pairs = [
        (whole.value, quantized.value)
        for whole in values(source="QuickSRNet", precision="fp16", quantity="psnr_y_db")
        for quantized in values(source="QuickSRNet", precision="int8", quantity="psnr_y_db")
        if (whole.table, whole.label, whole.set, whole.scale)
        == (quantized.table, quantized.label, quantized.set, quantized.scale)
    ]
    assert len(pairs) > 150
    assert all(quantized <= whole for whole, quantized in pairs)


def test_table_2_repeats_the_supplement_but_for_the_large_net() -> None:
    differing = {
        value.label
        for value in values(source="QuickSRNet", table="2", quantity="psnr_y_db")
        if one(
            source="QuickSRNet", table="S1", label=value.label, set="bsd100", scale=value.scale,
            precision=value.precision,
        )
        != value.value
    }  # fmt: skip
    assert differing == {"f64-m11"}


def test_every_value_says_what_it_is() -> None:
    known = {*PROTOCOLS, *FOREIGN_PROTOCOLS}
    assert not set(PROTOCOLS) & set(FOREIGN_PROTOCOLS)
    units = ("_db", "_ms", "_seconds", "_share", "_ratio", "ssim", "ssim_y", "perceptual_index", "rmse")
    assert len(published()) > 600
    for value in published():
        assert value.source and value.title and value.reference and value.table and value.model["name"], value
        assert value.quantity.endswith(units), value
        scored = value.quantity.startswith(("psnr", "ssim", "rmse", "perceptual"))
        assert (value.protocol in known and value.set is not None) if scored else value.set is None, value
        assert value.precision in (None, "fp32", "fp16", "int8"), value
        assert value.scale in (None, 1.5, 2, 3, 4), value
        assert value.task in ("regression", "gan"), value


def test_no_value_is_there_twice() -> None:
    keys = Counter(
        (v.source, v.reference, v.table, v.label, v.quantity, v.set, v.scale, v.precision, v.protocol, v.task)
        + (str(v.scheme), str(v.conditions))
        for v in published()
    )
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{label: absent, values: [1]}", "KeyError.*absent"),
        ("{label: net, values: [1, 2]}", "zip"),
        ("{label: net, sett: set5, values: [1]}", "unknown fields.*sett"),
        ("{label: net, values: [fast]}", "fast"),
    ],
)
def test_a_slip_in_a_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "slip.yaml").write_text(
        "source: s\ntitle: t\nreference: r\nquantity: latency_ms\nmodels: {net: {name: net}}\n"
        f"tables:\n  - {{table: '7', columns: [{{}}], rows: [{text}]}}\n"
    )
    with pytest.raises(ValueError, match=rf"slip\.yaml, table 7: .*{message}"):
        published(tmp_path)


def test_the_files_ship_with_the_package() -> None:
    assert len(list(SOURCES.glob("*.yaml"))) >= 6
