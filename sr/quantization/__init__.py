"""What few bits do to a net: schemes, their simulation by AIMET, and the steps that repair the loss.

scheme.py      Scheme: bits, calibration and the chain of steps, as YAML states it
chain.py       quantize(): calibration, then every step, each of which a kill cannot hurt
simulation.py  Simulation: the quantized net as a caller sees it; the plain float net is one too
half.py        HalfSimulation: the float net in fp16
ptq.py         calibration: ranges from training crops, pinned where they are known
integer.py     IntegerSimulation: pinned ranges, biases on their grid, ONNX with quantizers
aimet.py       AIMET itself: its rules for the HTP, and the modules that it must be told of
batch_norms.py folded before anything else
equalization.py     preparation: cross-layer equalisation
bias_correction.py  stage: means of channels put right
sequential_mse.py   stage: the best clipping of each layer's weights
gptq.py        stage: rounding errors made good in closed form
phases.py      what the output pixels of a convolution, or of a transposed one, are summed from
least_squares.py    the weights on a grid, and the bias, that this asks for
layers.py      what goes through a simulated net's layers
adaround.py    stage: learned rounding of the weights
qat.py         stage: quantization-aware training, of everything or of the biases alone
training.py    the fit inside it
choice.py      which of its states is kept
sensitivity.py what each layer loses, and how its ranges fit
plots.py       the same as pictures
identity.py    what a stage's kept result was made from
faster.py      the quantizers of a training step, in fewer passes over memory
quiet.py       other libraries' advice, off the screen
"""
