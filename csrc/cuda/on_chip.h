// A whole schedule on chip: one block an image, its spectrum in shared memory, its iterate in
// registers. For square grids of 64 and 128 in single precision, and of 256 by clusters of four
// blocks.
#pragma once

#include "cuda/axis.h"

namespace symbreak {

// `count` iterations of ER, HIO or RAAR, then perhaps a support update.
struct OnChipStep {
  int count;
  float keep, project;  // outside the support
  int blur;             // which transfer function, -1: no support update
};

// What one launch does.
struct OnChipProgram {
  static constexpr int kSteps = 32;
  OnChipStep steps[kSteps];
  int count = 0;
};

struct OnChipArguments {
  Pixel<float>* x;         // [images, size, size], in place
  uint8_t* support;        // the same, in place
  const float* amplitude;  // [items, size, size] in the order of the two-pass engine
  unsigned first, starts;
  const Pixel<float>* twiddles;
  const float* transfer;  // [OnChipProgram::kSteps, size], by position
  float threshold;
  bool of_rms;  // it is a fraction of that, as in ShrinkwrapRule
  OnChipProgram program;
};

// Whether the device holds an image of size x size.
bool on_chip_fits(int64_t size, const DeviceProperties& device);
// Images that the current device, of these properties, works on at once.
int64_t on_chip_wave(int64_t size, const DeviceProperties& device);

void launch_on_chip(Stream stream, int size, int64_t images, const OnChipArguments& arguments);

}  // namespace symbreak
