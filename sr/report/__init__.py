"""What finished runs say, and what the papers said: `python -m sr.report`.

Modules: `record` (the report of one run), `provenance` (git state, versions), `runs` (run folders and their state),
`table` and `seeds` (rows and columns), `render` (screen, Markdown, CSV, JSON), `published` (numbers of the sources,
from `sources/*.yaml`), `comparison` and `latency` (ours beside theirs), `training` (length and data of both).
"""
