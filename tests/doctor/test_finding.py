"""One broken thing does not hide the others."""

from collections.abc import Iterator
from importlib import import_module

from sr.doctor.finding import Finding, examine


def test_findings_pass_through() -> None:
    assert examine("a", lambda: [Finding("b", "ok", "c")]) == [Finding("b", "ok", "c")]


def test_what_a_check_raises_is_a_finding() -> None:
    def broken() -> Iterator[Finding]:
        yield Finding("a", "warning", "found before the check broke")
        raise RuntimeError("no backend")

    before, raised = examine("tool", broken)
    assert before == Finding("a", "warning", "found before the check broke")
    assert raised == Finding("tool", "broken", "RuntimeError: no backend")


def test_a_missing_package_comes_with_advice() -> None:
    def broken() -> Iterator[Finding]:
        yield import_module("sr_has_no_such_room").finding

    (finding,) = examine("tool", broken)
    assert finding.state == "broken"
    assert finding.detail.endswith("install the project again: make install")


def test_our_own_errors_are_shown_as_they_are() -> None:
    def broken() -> Iterator[Finding]:
        raise ValueError("complete the set")

    assert examine("set5", broken) == [Finding("set5", "broken", "complete the set")]
