"""Python API: `sr.load`, `sr.evaluate`, `sr.quantize` and `sr.export`, for nets of this package and for any other.

Modules: `functions` (evaluate, quantize, export), `loaded` (load), `foreign` (a net from elsewhere: scale and colour by
a test pass), `traced` (its forward as modules, by torch.fx), `photos` (photographs as pairs and calibration crops),
`command` (`sr export`). Nothing is imported here: `sr.load` needs none of what `sr.quantize` needs.
"""
