// The add/multiply rate of one core: independent additions and multiplications on registers, as
// many of one as of the other, not fused, in the widest vectors this machine compiles for.
#include <chrono>
#include <cstdio>

// Chains: enough to hide the latency of two additions a clock, few enough for the registers.
#if defined(__AVX512F__)
constexpr int kBytes = 64, kChains = 12;
#elif defined(__AVX2__)
constexpr int kBytes = 32, kChains = 6;
#else
constexpr int kBytes = 16, kChains = 6;
#endif
typedef float Vector __attribute__((vector_size(kBytes)));

int main() {
  constexpr int kSteps = 2'000'000;
  constexpr double kFlops = 2.0 * kChains * kSteps * (kBytes / sizeof(float));
  double best = 0;
  for (int repeat = 0; repeat < 15; ++repeat) {
    Vector sums[kChains], products[kChains];
    for (int i = 0; i < kChains; ++i) {
      sums[i] = Vector{} + float(i);
      products[i] = Vector{} + 1.0f;
    }
    Vector one = Vector{} + 1.0f, half = Vector{} + 0.5f;
    asm volatile("" : "+x"(one), "+x"(half));  // unknown to the optimiser
    const auto start = std::chrono::steady_clock::now();
    for (int step = 0; step < kSteps; ++step) {
      for (int i = 0; i < kChains; ++i) {
        sums[i] += half;
        products[i] *= one;
        asm volatile("" : "+x"(sums[i]), "+x"(products[i]));
      }
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double rate = kFlops / seconds;
    best = rate > best ? rate : best;
  }
  std::printf("%.4e\n", best);
}
