"""Cost of a net: parameters, MACs, activation memory, receptive field, and latency on this CPU.

Pass the inference form of a net (`sr.models.blocks.inference_form`) to these functions.
"""
