// best_element and align: the closest member of an estimate's orbit to a reference, on a GPU.
#include <initializer_list>
#include <tuple>

#include "common/fast_length.h"
#include "cuda/best_element.h"
#include "cuda/fourier.h"
#include "cuda/op.h"
#include "cuda/precise_correlation.h"

namespace symbreak {
namespace {

// Of the padded pairs, their spectra and their correlations together; more pairs come in chunks.
constexpr int64_t kScratchBytes = int64_t{256} << 20;

// Aligns chunks of pairs on the current stream.
template <typename T>
class Aligner {
 public:
  Aligner(const Tensor& like, const Grid& grid, bool wrap, int64_t items)
      : like_(like), stream_(current_stream(like)), grid_(grid), parts_(grid), wrap_(wrap) {
    double pixels = 1;
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t size = grid.size[axis], padded = wrap ? size : fast_length(2 * size - 1);
      padded_.size[axis] = padded;
      pixels *= static_cast<double>(padded);
      lags_.axis[axis] = {size, padded, wrap};
    }
    STD_TORCH_CHECK(pixels < double(1u << 30), "align: the padded grid must be below 2^30 pixels.");
    padded_.rank = grid.rank;
    const int64_t bytes = 3 * 2 * padded_.pixels() * int64_t{sizeof(Pixel<T>)};
    chunk_ = std::clamp<int64_t>(kScratchBytes / bytes, 1, items);
    pair_ = take(chunk_ * 2 * padded_.pixels() * sizeof(Pixel<T>));
    states_ = take(chunk_ * sizeof(PairState<T>));
    powers_ = take(chunk_ * 2 * pieces(padded_.pixels(), kReducedPerBlock) * sizeof(double));
    tiles_ = pieces(2 * padded_.pixels(), kReducedPerBlock);
    peaks_ = take(chunk_ * tiles_ * sizeof(T));
    products_ = take(chunk_ * parts_.count * (kMaxCandidates + 1) * sizeof(ComplexSum));
    errors_ = take(chunk_ * parts_.count * sizeof(double));
  }

  // estimate, reference: [items, depth, rows, columns].
  void align(const Pixel<T>* estimate, const Pixel<T>* reference, int64_t items,
             const AlignResults<T>& results) const {
    for (int64_t first = 0; first < items; first += chunk_) {
      const int64_t at = first * grid_.pixels(), vectors = first * grid_.rank;
      align_chunk(
          {{estimate + at, reference + at},
           std::min(chunk_, items - first),
           grid_,
           padded_,
           lags_,
           wrap_,
           data<PairState<T>>(states_)},
          {results.object == nullptr ? nullptr : results.object + at,
           results.offset == nullptr ? nullptr : results.offset + vectors, results.shift + vectors,
           results.flipped + first, results.phase + first, results.sa_mse + first});
    }
  }

 private:
  Tensor take(int64_t bytes) const {
    return torch::stable::new_empty(like_, {bytes}, ScalarType::Byte);
  }
  template <typename V>
  static V* data(const Tensor& tensor) {
    return static_cast<V*>(tensor.mutable_data_ptr());
  }

  void align_chunk(const Pairs<T>& pairs, const AlignResults<T>& results) const {
    const int64_t items = pairs.items, pixels = padded_.pixels();
    fill_bytes(stream_, pairs.states, 0, items * sizeof(PairState<T>));
    const int64_t blocks = pieces(grid_.pixels(), kReducedPerBlock);
    launch(survey_pairs_kernel<T>, {items * blocks, kImageThreads, sizeof(PairState<T>)}, stream_,
           pairs, static_cast<unsigned>(blocks));
    Pixel<T>* pair = data<Pixel<T>>(pair_);
    reduce_images<Sum>(stream_, 2 * items, pixels, LoadPadded<T>{pairs, pair},
                       StorePower<T>{pairs.states}, data<double>(powers_));
    // By any plan: which element is the best is decided between candidates in float64.
    const DeviceFourier<T> fourier(padded_, like_, 0);
    const Tensor spectra = fourier(pair, 2 * items, Direction::kForward);
    for_pixels(stream_, items, pixels, MultiplySpectra<T>{data<Pixel<T>>(spectra), pixels});
    const Tensor correlations = fourier(data<Pixel<T>>(spectra), 2 * items, Direction::kInverse);
    select(pairs, {data<Pixel<T>>(correlations), 2 * pixels});
    launch(precise_kernel<T>, {items, kPreciseThreads, kRootsInShared * sizeof(Pixel<double>)},
           stream_, pairs, CorrelationPower<T>{data<Pixel<T>>(correlations), 2 * pixels},
           data<Pixel<double>>(pair_), data<Pixel<double>>(spectra),
           data<Pixel<double>>(correlations));
    decide(pairs, results);
    check_launch("align");
  }

  void select(const Pairs<T>& pairs, const CorrelationPower<T>& power) const {
    const auto tiles = static_cast<unsigned>(tiles_);
    T* peaks = data<T>(peaks_);
    launch(reduce_kernel<Maximum, T, CorrelationPower<T>, StorePartial<T>>,
           {pairs.items * tiles_, kImageThreads, kImageThreads * sizeof(T)}, stream_, power,
           StorePartial<T>{peaks, tiles}, power.count, kReducedPerBlock, tiles);
    reduce_partial<Maximum>(stream_, pairs.items, tiles, peaks, StoreLargest<T>{pairs.states});
    launch(select_kernel<T>, {pairs.items * tiles_, kImageThreads}, stream_, pairs, power, peaks,
           tiles);
  }

  void decide(const Pairs<T>& pairs, const AlignResults<T>& results) const {
    const int64_t items = pairs.items;
    ComplexSum* products = data<ComplexSum>(products_);
    double* errors = data<double>(errors_);
    launch(inner_products_kernel<T>,
           {items * parts_.count, kImageThreads, kImageThreads * sizeof(ComplexSum)}, stream_,
           pairs, products, parts_);
    launch(choose_kernel<T>, {items, 32, (kMaxCandidates + 1) * sizeof(ComplexSum)}, stream_, pairs,
           products, parts_.count, results);
    launch(compare_kernel<T>, {items * parts_.count, kImageThreads, kImageThreads * sizeof(double)},
           stream_, pairs, results.object, errors, parts_);
    reduce_partial<Sum>(stream_, items, static_cast<unsigned>(parts_.count), errors,
                        StoreError<T>{pairs, results.sa_mse});
  }

  Tensor like_;
  Stream stream_;
  Grid grid_, padded_;
  RowParts parts_;
  Lags lags_;
  bool wrap_;
  int64_t chunk_, tiles_;
  Tensor pair_, states_, powers_, peaks_, products_, errors_;
};

using Found = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor>;

// The first result is the offset (best_element) or the object (align).
Found best_elements(const char* op, const Tensor& estimate, const Tensor& reference, bool wrap,
                    int64_t ndim, bool write_object) {
  const auto batch = batch_shape(estimate, ndim);
  STD_TORCH_CHECK(shape_of(estimate) == shape_of(reference) &&
                      estimate.scalar_type() == reference.scalar_type(),
                  op, ": estimate and reference must have one shape and dtype.");
  STD_TORCH_CHECK(on_device(estimate) && on_device(reference), op,
                  ": estimate and reference must be on one device.");
  const DeviceGuard guard(estimate);
  const Tensor from = torch::stable::contiguous(estimate),
               towards = torch::stable::contiguous(reference);
  Tensor shift = torch::stable::new_empty(from, appended(batch, ndim), ScalarType::Long);
  Tensor first = write_object ? torch::stable::new_empty(from, shape_of(from))
                              : torch::stable::new_empty(shift, shape_of(shift));
  Tensor flipped = torch::stable::new_empty(from, batch, ScalarType::Bool);
  return with_complex(from, op, [&]<typename T>() -> Found {
    Tensor phase = torch::stable::new_empty(from, batch, kRealType<T>);
    Tensor sa_mse = torch::stable::new_empty(from, batch, kRealType<T>);
    if (from.numel() > 0) {
      const int64_t items = product(batch);
      Aligner<T>(from, make_grid(from.sizes(), ndim), wrap, items)
          .align(pixel_data<T>(from), pixel_data<T>(towards), items,
                 {write_object ? mutable_pixel_data<T>(first) : nullptr,
                  write_object ? nullptr : first.mutable_data_ptr<int64_t>(),
                  shift.mutable_data_ptr<int64_t>(), flipped.mutable_data_ptr<bool>(),
                  phase.mutable_data_ptr<T>(), sa_mse.mutable_data_ptr<T>()});
    }
    return {first, shift, flipped, phase, sa_mse};
  });
}

Found best_element_cuda(const Tensor& estimate, const Tensor& reference, bool wrap, int64_t ndim) {
  return best_elements("best_element", estimate, reference, wrap, ndim, false);
}

Found align_cuda(const Tensor& estimate, const Tensor& reference, bool wrap, int64_t ndim) {
  return best_elements("align", estimate, reference, wrap, ndim, true);
}

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) {
  m.impl("best_element", TORCH_BOX(&symbreak::best_element_cuda));
  m.impl("align", TORCH_BOX(&symbreak::align_cuda));
}
