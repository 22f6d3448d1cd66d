"""Run folders: their names, the settings that decide their numbers, the lock, files and signals.

Nothing heavy is imported here, so that `--help` stays quick. Modules: `folders` (overrides to folder name), `identity`
(settings that decide the numbers), `lock` (one process a folder), `files` (atomic writing), `names` (file names that
users type or files hold), `replacement` (a folder for another), `signals` (delayed Ctrl-C).
"""
