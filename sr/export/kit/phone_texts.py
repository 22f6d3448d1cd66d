"""Texts of the phone kit: the script that runs on the phone, and its README."""

from collections.abc import Mapping

README = """\
Phone kit: run this net on a phone and compare every pixel with what the computer got. docs/phone.md has all steps.
1. Switch on USB debugging on the phone, connect it, and see that `adb devices` lists it as "device".
2. Get the runtime: Qualcomm's QAIRT SDK for `qnn`, with onnxruntime for `ort`, `benchmark_model`, or `ncnn_runner`.
3. `sr phone run <run folder> --runtime qnn --sdk <QAIRT folder>` does the rest: push, run, time, pull, compare.
By hand: push run.sh, inputs/*, the two files of models/ for your chip and the runtime's files into one folder, then
`sh run.sh qnn <model of the crops> <model of the frame> <passes>`. Results are in out/, as raw bytes in rows of pixels.
inputs/*.raw: uint8 pixels (rows, columns, channels): crops of the certificate and one frame of the target size.
expected/<form>/*.raw.xz: the bytes to get, from the HTP's emulator, LiteRT or ncnn on the computer (`xz -d`).
pairs/: the same crops as pictures with their true images. models/: compiled files, one for each chip and size.
manifest.json: what belongs to what, sizes, bounds and the compiler's version.
"""

_SCRIPT = """\
#!/system/bin/sh
# Runs on the phone, in the folder with everything that it needs:
# sh run.sh <runtime> <model of the crops, or -> <model of the frame> <passes> [options of the runtime]
set -eu
cd "$(dirname "$0")"
runtime=$1 crops=$2 frame=$3 passes=$4
shift 4
export LD_LIBRARY_PATH="$PWD:${LD_LIBRARY_PATH:-}"
export ADSP_LIBRARY_PATH="$PWD;/vendor/dsp/cdsp;/vendor/lib/rfsa/adsp;/system/lib/rfsa/adsp;/dsp"
rm -rf out
mkdir -p out/crops out/frame out/passes

qnn() {  # <model> <list of inputs> <folder> [options]
  model=$1 list=$2 folder=$3
  shift 3
  ./qnn-net-run --backend libQnnHtp.so --retrieve_context "$model" --input_list "$list" --output_dir "$folder" \\
    --use_native_input_files --use_native_output_files --perf_profile burst "$@"
}

litert() {  # <model> <shape> <input> <output> <passes> [options]
  model=$1 shape=$2 input=$3 output=$4 runs=$5
  shift 5
  ./benchmark_model --graph="$model" --input_layer=input --input_layer_shape="$shape" \\
    --input_layer_value_files="input:$input" --output_filepath="$output" --num_runs="$runs" \\
    --warmup_runs=10 --warmup_min_secs=0 --min_secs=0 --max_secs=600 "$@"
}

ort() {  # <frame> [options]: compares it with its output
  name=$1
  shift
  mkdir -p "tests/$name/test_data_set_0"
  cp ./*.bin "tests/$name"
  mv "$name.float.onnx" "tests/$name/model.onnx"
  for kind in input output; do
    mv "$name.$kind.pb" "tests/$name/test_data_set_0/${kind}_0.pb"
  done
  ./onnx_test_runner -a 0 -t 0 "$@" "tests/$name" > "out/$name.log" 2>&1 || true
}

case $runtime in
  qnn)
    ls crop*.raw > crops.txt
    echo frame.raw > frame.txt
    [ "$crops" = - ] || qnn "$crops" crops.txt out/crops
    qnn "$frame" frame.txt out/frame
    qnn "$frame" frame.txt out/passes --num_inferences "$((passes + 10))" --keep_num_outputs 1 --profiling_level basic
    ;;
  ort)
    for data in *.input.pb; do
      ort "${data%.input.pb}" "$@"
    done
    mkdir -p net/test_data_set_0
    cp ./*.bin "$frame" net
    cp tests/frame/test_data_set_0/input_0.pb net/test_data_set_0
    ./onnxruntime_perf_test -m times -r "$((passes + 10))" -C "session.disable_cpu_ep_fallback|1" "$@" \\
      "net/$frame" out/passes.csv
    ;;
  litert)
    [ "$crops" = - ] || for input in crop*.raw; do
      litert "$crops" CROP_SHAPE "$input" "out/crops/$input" 1 "$@" > "out/$input.log" 2>&1
    done
    litert "$frame" FRAME_SHAPE frame.raw out/frame/frame.raw "$passes" "$@" 2>&1 | tee out/passes.log
    [ -s out/frame/frame.raw ]
    ;;
  ncnn)
    [ "$crops" = - ] || for input in crop*.raw; do
      ./ncnn_runner "$crops" "${crops%.param}.bin" "$1" 0 CROP_SIZE "$input" "out/crops/$input"
    done
    ./ncnn_runner "$frame" "${frame%.param}.bin" "$1" "$passes" FRAME_SIZE frame.raw out/frame/frame.raw
    ;;
  *)
    echo "run.sh: runtime $runtime is unknown: qnn, ort, litert or ncnn"
    exit 2
    ;;
esac
"""


def run_script(sizes: Mapping[str, tuple[int, int, int]]) -> str:
    """Return the script for the phone.

    Args:
        sizes: Height, width and channels of each frame in LR pixels.
    """
    script = _SCRIPT
    for word, name in (("CROP", "crop0"), ("FRAME", "frame")):
        script = script.replace(f"{word}_SHAPE", ",".join(map(str, (1, *sizes[name]))))
        script = script.replace(f"{word}_SIZE", " ".join(map(str, sizes[name])))
    return script
