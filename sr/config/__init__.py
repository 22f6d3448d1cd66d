"""Configuration: composition with Hydra, checks of settings, and hints for mistyped keys.

Nothing heavy is imported here, so that `--help` stays quick. Modules: `composition` (resolvers, guards and callbacks of
Hydra), `checks` (what a setting may be), `targets` and `own_targets` (the classes that may be built), `hints`
(suggestions below Hydra's own message).
"""
