// Runs an ncnn net on raw frames, for `sr phone run --runtime ncnn`. Build it for the phone with Android's NDK and
// ncnn's release for Android, see docs/phone.md.
// ncnn_runner <net.param> <net.bin> <cpu or gpu> <passes> <height> <width> <channels> <input.raw> <output.raw>
// A frame is uint8 in rows of pixels. With passes, it prints a line `pass_us <time>` for each, after 10 for warm-up.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cpu.h"
#include "net.h"

static const int kWarmup = 10;

static int fail(const char* what, const char* name) {
  fprintf(stderr, "ncnn_runner: %s %s\n", what, name);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 10) return fail("nine arguments are needed:", "param bin cpu|gpu passes height width channels in out");
  const bool gpu = strcmp(argv[3], "gpu") == 0;
  const int passes = atoi(argv[4]), height = atoi(argv[5]), width = atoi(argv[6]), channels = atoi(argv[7]);
  if (passes < 0 || height < 1 || width < 1 || channels < 1) return fail("wrong sizes for", argv[8]);

  ncnn::set_cpu_powersave(2);  // the big cores
  ncnn::Net net;
  net.opt.num_threads = ncnn::get_big_cpu_count();
  net.opt.use_vulkan_compute = gpu;
#if NCNN_VULKAN
  if (gpu && ncnn::get_gpu_count() == 0) return fail("there is no Vulkan device for", argv[1]);
#else
  if (gpu) return fail("this ncnn has no Vulkan; it cannot run on the GPU:", argv[1]);
#endif
  if (net.load_param(argv[1]) != 0) return fail("ncnn does not take", argv[1]);
  if (net.load_model(argv[2]) != 0) return fail("ncnn does not take", argv[2]);

  std::vector<unsigned char> pixels((size_t)height * width * channels);
  FILE* source = fopen(argv[8], "rb");
  if (source == NULL) return fail("cannot open", argv[8]);
  const size_t got = fread(pixels.data(), 1, pixels.size(), source);
  const bool longer = fgetc(source) != EOF;
  fclose(source);
  if (got != pixels.size() || longer) return fail("the size of the frame is not that of", argv[8]);

  ncnn::Mat in(width, height, channels);
  for (int c = 0; c < channels; c++) {
    float* plane = in.channel(c);
    for (int i = 0; i < height * width; i++) plane[i] = pixels[(size_t)i * channels + c] / 255.f;
  }
  ncnn::Mat out;
  for (int i = 0; i < (passes > 0 ? kWarmup + passes : 1); i++) {
    const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    ncnn::Extractor extractor = net.create_extractor();
    extractor.input("in0", in);
    if (extractor.extract("out0", out) != 0) return fail("ncnn cannot run", argv[1]);
    const double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    if (passes > 0 && i >= kWarmup) printf("pass_us %.1f\n", us);
  }

  std::vector<unsigned char> made((size_t)out.h * out.w * out.c);
  for (int c = 0; c < out.c; c++) {
    const float* plane = out.channel(c);
    for (int i = 0; i < out.h * out.w; i++) {
      const float value = nearbyintf(plane[i] * 255.f);
      made[(size_t)i * out.c + c] = (unsigned char)(value < 0.f ? 0.f : value > 255.f ? 255.f : value);
    }
  }
  FILE* target = fopen(argv[9], "wb");
  if (target == NULL) return fail("cannot write", argv[9]);
  const size_t written = fwrite(made.data(), 1, made.size(), target);
  if (fclose(target) != 0 || written != made.size()) return fail("cannot write", argv[9]);
  printf("version ncnn %s, %d threads, %s\n", NCNN_VERSION_STRING, net.opt.num_threads, gpu ? "GPU" : "CPU");
  return 0;
}
