"""Add what a phone did to the certificate and to the report of a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sr.export.publish import CERTIFICATE
from sr.phone.opened_kit import OpenedKit
from sr.report.record import REPORT_NAME, read_report, write_report
from sr.runs.files import write_json
from sr.runs.results import read_result, write_result
from sr.stages.export import EXPORT_RESULT

PHONES = "phones"


def record(kit: OpenedKit, proof: dict[str, Any], facts: dict[str, Any]) -> list[Path]:
    """Add a phone's row to the certificate, the stage's result and the report; an earlier row of its name goes.

    Args:
        kit: The kit.
        proof: Result of `compare`.
        facts: Device, runtime, versions and times.

    Returns:
        The files that were written.
    """
    certificate = with_phone(kit.certificate, proof, facts)
    write_json(kit.export / CERTIFICATE, certificate)
    written = [kit.export / CERTIFICATE]
    run = kit.export.parent
    if result := read_result(run / EXPORT_RESULT):
        files = result.pop("written")
        write_result(run, EXPORT_RESULT, {**result, "export": certificate}, files)
        written.append(run / EXPORT_RESULT)
    if result and (run / REPORT_NAME).is_file():
        write_report(replace(read_report(run / REPORT_NAME), export=certificate), run)
        written.append(run / REPORT_NAME)
    return written


def with_phone(certificate: dict[str, Any], proof: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return a certificate with a phone's row.

    Args:
        certificate: Of the export.
        proof: Result of `compare`.
        facts: Device, runtime, versions and times.
    """
    name = proof["form"]["name"]
    title = f"phone {facts['device']}, {facts['runtime']}"
    return {
        **certificate,
        "forms": [
            *(row for row in certificate["forms"] if row["name"] != name),
            {**proof["form"], "title": title, "file": facts["model"]},
        ],
        "links": [*(row for row in certificate["links"] if row["second"] != name), *proof["links"]],
        "closeness": [*(row for row in certificate["closeness"] if row["first"] != name), *proof["closeness"]],
        PHONES: [
            *(row for row in certificate.get(PHONES, []) if row["name"] != name),
            {"name": name, **facts, "frames": proof["frames"]},
        ],
    }
