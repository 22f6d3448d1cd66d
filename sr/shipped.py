"""Former name of `sr.pretrained`, which its command line tells."""

import sys

if __name__ == "__main__":
    command = " ".join(["python -m sr.pretrained", *sys.argv[1:]])
    print(f"Error: sr.shipped is called sr.pretrained now; write {command}", file=sys.stderr)
    sys.exit(1)
