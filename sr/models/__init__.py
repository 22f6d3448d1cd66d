"""The nets: one paper, one file; the sizes of a family are arguments.

Every net is a `Net` (`sr.models.net`): a plain `nn.Module` that says three things of itself, with a keyword-only
constructor without defaults (the values live in `conf/model`):

    scale          2, 3, 4 or 1.5
    color          "rgb": takes and gives (N, 3, ., .); "y": one BT.601 limited luma channel, (N, 1, ., .)
    size_multiple  height and width of lr must be multiples of this: 1, or 2 where scale is 1.5
    forward(lr)    lr (N, C, h, w) in [0, 1] -> sr (N, C, scale * h, scale * w)

The output is clipped to [0, 1] only where the paper clips it. Each activation, addition and concatenation is a module
instance of its own, because quantizers and exporters find the operations of a net by module. A net that trains in
another form than it runs in has `collapse()`; `sr.models.blocks.inference_form` asks for it.

`sr.models.discriminators` holds the other half of adversarial training: hr or sr (N, 3, H, W) -> logits.
"""
