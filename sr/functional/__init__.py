"""Pure functions on tensors and images: color spaces, resizing, PSNR and SSIM, channel orders, kernel folding."""
