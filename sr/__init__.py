"""Real-time single-image super-resolution on mobile NPUs: train, quantize, export, prove, compare.

Legend, valid in the whole package unless a docstring says otherwise:

- ``lr`` (N, C, h, w), ``hr`` and ``sr`` (N, C, s*h, s*w) with ``s`` the scale (1.5, 2, 3 or 4);
  float RGB in [0, 1]. On the host an image is a uint8 array (H, W, 3).
- ``lr_patch``: LR pixels per side of a training crop. ``border``: HR pixels cut off each side before scoring.
- ``y``: luma, BT.601 in limited range (16..235), as MATLAB's ``rgb2ycbcr`` gives it.
- The PSNR or SSIM of a set is the mean over its images of the image's own value.
"""

__version__ = "0.2.0"
