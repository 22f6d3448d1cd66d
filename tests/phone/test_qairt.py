"""The QAIRT SDK: where it is, what it lacks, its version, its profile."""

from pathlib import Path

import pytest

from sr.phone.qairt import check_version, find_sdk, profile_reader, sdk_files, sdk_version, times_of


def test_an_sdk_is_named_or_in_the_environment(sdk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("QAIRT_SDK_ROOT", "QNN_SDK_ROOT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="needs Qualcomm's QAIRT SDK: get it from https"):
        find_sdk(None)
    with pytest.raises(ValueError, match="is no QAIRT SDK: it has no folder lib"):
        find_sdk(tmp_path)
    monkeypatch.setenv("QNN_SDK_ROOT", str(sdk))
    assert find_sdk(None) == sdk


def test_files_of_an_htp_version(sdk: Path) -> None:
    assert {"qnn-net-run", "libQnnHtp.so", "libQnnHtpV73Stub.so", "libQnnHtpV73Skel.so"} <= set(sdk_files(sdk, 73))
    with pytest.raises(ValueError, match=r"lacks .*libQnnHtpV81Stub.so, .*libQnnHtpV81Skel.so; install its parts"):
        sdk_files(sdk, 81)


def test_versions(sdk: Path, tmp_path: Path) -> None:
    assert sdk_version(sdk) == "2.51.0" and check_version(sdk, "2.51.0") == "2.51.0"
    assert check_version(sdk, "2.9.0") == "2.51.0"  # numbers, not texts
    with pytest.raises(ValueError, match=r"the QAIRT SDK is 2\.51\.0, and the files were compiled by QAIRT 2.52.0"):
        check_version(sdk, "2.52.0")
    (sdk / "sdk.yaml").unlink()
    with pytest.raises(ValueError, match="says no version; keep its folder's name"):
        check_version(sdk, "2.51.0")
    other = sdk.rename(tmp_path / "2.31.0.250130")
    assert sdk_version(other) == "2.31.0"


def test_a_computer_without_a_profile_reader(sdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert profile_reader(sdk) is None


def test_times_of_a_table_with_a_heading(tmp_path: Path) -> None:
    table = tmp_path / "profile.csv"
    header = "Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier\n"
    rows = "0,EXECUTE,90,US,BACKEND,ROOT,QNN (execute) time\n1,EXECUTE,7,COUNT,HW,ROOT,Number of HVX threads used\n"
    table.write_text("Input Log File Location: out/log\n\n" + header + rows)
    assert times_of(table) == {"QNN (execute) time": [90.0]}
    table.write_text("")
    assert times_of(table) == {}
