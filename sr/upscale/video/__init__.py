"""Upscale videos with PyAV (extra `video`), which `sr.data.video` reads.

Modules: `frame_pixels` (planes, the net), `target_video` (encode and copy),
`reference_scores` (PSNR, SSIM, flicker), `video_job` (all of it in overlapped stages).
"""
