"""Quantization: schemes, simulation with AIMET, and steps that recover accuracy.

scheme.py               Scheme: number of bits, calibration and chain of steps, as the YAML states them
steps.py                types of the steps, and the inputs that a step gets
pipeline.py             quantize(): preparations, calibration, then every step; continues after a kill
simulation.py           Simulation: the quantized net for its users; the float net is one too
half.py                 HalfSimulation: the float net in fp16
ptq.py                  calibration with training crops
integer.py              IntegerSimulation: pinned ranges, biases on the accumulator's grid, ONNX with quantizers
aimet.py                AIMET: rules for the HTP, registration of modules, and the private API that is used
batch_norms.py          folding of batch norms, before anything else
equalization.py         preparation: cross-layer equalisation
bias_correction.py      step: correct the channel means
sequential_mse.py       step: search the weight range of each layer
gptq.py                 step: round column by column and compensate the error
phases.py               split of a transposed convolution into ordinary ones
least_squares.py        the equations that GPTQ solves
weighted_layers.py      order, inputs and outputs of the layers with weights
adaround.py             step: learned rounding of the weights
qat.py                  step: quantization-aware training, of everything or of the biases alone
qat_settings.py         its settings
qat_task.py             its Lightning module
qat_training.py         its fit
checkpoint_selection.py choice between the best and the last checkpoint
kept_result.py          files that a step keeps for a restart
layer_sensitivity.py    error of each layer, and how well its ranges fit
plots.py                the same as pictures
fast_fake_quant.py      faster quantizers for training on a CPU
"""
