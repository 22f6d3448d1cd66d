"""What a net costs on paper, and on this CPU: counting, receptive field, latency.

Give these functions the form of a net that is deployed (`sr.models.blocks.inference_form`).
"""
