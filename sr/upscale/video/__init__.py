"""Upscale videos with PyAV (extra `video`).

Modules: `source_video` (decode), `frame_pixels` (planes, colours, the net), `target_video` (encode and copy),
`reference_scores` (PSNR, SSIM, flicker), `video_job` (all of it in overlapped stages).
"""
