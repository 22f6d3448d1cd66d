"""The names of folders: where the repository is, what a run is called, who holds it, and whether it may go on.

Nothing heavy is imported in this room, so that `--help` stays quick. Modules: `names` (overrides to folder name),
`identity` (which settings decide the numbers), `claim` (one process a folder), `files` (atomic writing, staleness),
`composition` (Hydra's resolvers, guards and callbacks), `stops` (a Ctrl-C that waits).
"""
