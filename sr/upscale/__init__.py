"""Upscale pictures, folders and videos: `python -m sr.upscale SOURCE TARGET`.

Modules: `opened_net` (a net on a runtime), `stages` (overlapped work in threads), `one_picture`, `picture_folder`,
`slider_page` (bicubic beside the net), `video/` (PyAV).
"""
