"""What 8 bits do to a net: schemes, their simulation by AIMET, and the training that repairs the loss.

scheme.py      Scheme: bits, calibration and the chain of stages, as YAML states it
chain.py       quantize(): calibration, then every stage, each of which a kill cannot hurt
simulation.py  Simulation: the quantized net as a caller sees it; the plain float net is one too
ptq.py         calibration: ranges from training crops, pinned where they are known
integer.py     IntegerSimulation: pinned ranges, biases on their grid, ONNX with quantizers
aimet.py       AIMET itself: its rules for the HTP, and the modules that it must be told of
qat.py         stage: quantization-aware training
adaround.py    stage: learned rounding of the weights
identity.py    what a stage's kept result was made from
faster.py      the quantizers of a training step, in fewer passes over memory
quiet.py       other libraries' advice, off the screen
"""
