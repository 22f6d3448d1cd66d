"""A program with the options of qnn-profile-viewer that writes the table of a profile of `standin_net_run`."""

import argparse
import json
from pathlib import Path


def main() -> None:
    """Read the profile and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input_log", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    profile = json.loads(options.input_log.read_text())
    rows = ["Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier"]
    for time in profile["times"]:
        rows.append(f"0,EXECUTE,{time:.0f},US,BACKEND,ROOT,QNN (execute) time")
        if profile["accelerator"]:
            rows.append(f"0,EXECUTE,{time * 0.8:.0f},US,BACKEND,ROOT,QNN accelerator (execute) time")
            rows.append(f"0,EXECUTE,{time * 900:.0f},CYCLES,BACKEND,ROOT,Accelerator (execute) time (cycles)")
    options.output.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
