"""Image pairs: read, decoded once into a memory map, cut into patches, found by name, downloaded.

Modules, from the bottom: `image` (a file -> pixels), `pairs` (ImagePair), `decode` (files -> pairs), `pixel_map`
(pairs in one mapped file), `cache` (each map is made once), `download` (archives), `sources` (training images), `sets`
(test sets by name), `holdout` (which are trained on), `patches` (the training stream), `module` (what a Trainer gets).
"""
