"""Super-resolution nets: one paper per file, the sizes of a family are arguments.

Every net is a `Net` (`sr.models.net`): a plain `nn.Module` with three attributes and a keyword-only constructor without
defaults (the values are in `conf/model`):

    scale          2, 3, 4 or 1.5
    color          "rgb": input and output (N, 3, ., .); "y": BT.601 limited-range luma, (N, 1, ., .)
    size_multiple  height and width of lr must be multiples of this: 1, or 2 if the scale is 1.5
    forward(lr)    lr (N, C, h, w) in [0, 1] -> sr (N, C, scale * h, scale * w)

The output is clipped to [0, 1] only if the paper clips it. Each activation, addition and concatenation is a separate
module instance, because quantizers and exporters find the operations of a net by module. A net with a different
training form has a method `collapse()`; `sr.models.blocks.inference_form` calls it.

`sr.models.discriminators` holds the discriminators of adversarial training: hr or sr (N, 3, H, W) -> logits.
"""
