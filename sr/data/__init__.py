"""Image data: read image files, decode them once into a cache, and cut training patches.

Modules, from the bottom: `image` (read a file), `pairs` (ImagePair), `decode` (files to pairs), `pixel_map` (pairs in
a memory-mapped file), `cache` (shared pixel maps), `download` (archives), `sources` (training images), `test_sets`
(test sets by name), `split` (training and held-out images), `patches` (training batches), `module` (data module).
"""
