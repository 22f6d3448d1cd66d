"""Read videos with PyAV (extra `video`): files, the colours of frames, and clips as training and test images."""
