// The passes of an on-chip iteration that read and write shared memory only.
#pragma once

#include "cuda/on_chip_layout.h"

namespace symbreak {

// Last pass along the rows: no twiddle factors.
template <class Layout, Direction D>
SYMBREAK_DEVICE void rows_last_pass(unsigned char* image) {
  constexpr int kRadix = Layout::kLast;
  SYMBREAK_NO_UNROLL for (int q = 0; q < Layout::kLastItems; ++q) {
    const OnChipPlace at(q, Layout::kLastItems, Layout::kFirst);
    const int base = Layout::row_last(at.line, at.item);
    Complex<float> v[kRadix];
    SYMBREAK_UNROLL for (int n = 0; n < kRadix; ++n) {
      v[n] = to_complex(pixel_at(image, Layout::row_last(base, 0, n)));
    }
    Butterfly<kRadix, D, float>::apply(v);
    SYMBREAK_UNROLL for (int n = 0; n < kRadix; ++n) {
      pixel_at(image, Layout::row_last(base, 0, n)) = to_pixel(v[n]);
    }
  }
}

// First pass down the columns.
template <class Layout, Direction D>
SYMBREAK_DEVICE void columns_first_pass(unsigned char* image,
                                        const PairedTwiddles<float>& twiddles) {
  constexpr int kRadix = Layout::kFirst;
  SYMBREAK_NO_UNROLL for (int q = 0; q < Layout::kFirstItems; ++q) {
    const OnChipPlace at(q, Layout::kFirstItems, Layout::kStep);
    const Item<typename Layout::Axis, 0> item(own_block<Layout>() * Layout::kStep + at.item);
    const int base = Layout::column_first(at.line, at.item);
    Complex<float> v[kRadix];
    SYMBREAK_UNROLL for (int j = 0; j < kRadix; ++j) {
      v[j] = to_complex(pixel_at(image, Layout::column_first(base, 0, j)));
    }
    if constexpr (D == Direction::kForward) {
      item.forward(v, twiddles);
    } else {
      item.inverse(v, twiddles);
    }
    SYMBREAK_UNROLL for (int j = 0; j < kRadix; ++j) {
      pixel_at(image, Layout::column_first(base, 0, j)) = to_pixel(v[j]);
    }
  }
}

// Last pass down the columns and back, with `rule(value, position, column)` between: positions are
// counted from the first one that this block takes.
template <class Layout, typename Rule>
SYMBREAK_DEVICE void columns_last_pass(unsigned char* image, const Rule& rule) {
  constexpr int kRadix = Layout::kLast, kItems = Layout::kFirst / Layout::kBlocks;
  SYMBREAK_NO_UNROLL for (int q = 0; q < Layout::kLastItems; ++q) {
    const OnChipPlace at(q, Layout::kLastItems, kItems);
    const ColumnPoints<Layout> points(image, at.line, own_block<Layout>() * kItems + at.item);
    Complex<float> v[kRadix];
    SYMBREAK_UNROLL for (int n = 0; n < kRadix; ++n) v[n] = points.load(n);
    Butterfly<kRadix, Direction::kForward, float>::apply(v);
    SYMBREAK_UNROLL for (int n = 0; n < kRadix; ++n) {
      v[n] = rule(v[n], at.item * kRadix + n, at.line);
    }
    Butterfly<kRadix, Direction::kInverse, float>::apply(v);
    SYMBREAK_UNROLL for (int n = 0; n < kRadix; ++n) points.store(n, v[n]);
  }
}

// The points of round q of the first pass along the rows, transformed back: the object.
template <class Layout>
SYMBREAK_DEVICE void rows_to_object(unsigned char* image, const PairedTwiddles<float>& twiddles,
                                    int q, Complex<float> (&v)[Layout::kFirst]) {
  schedule_fence();
  const OnChipPlace at(q, Layout::kFirstItems, Layout::kLast);
  const int base = Layout::row_first(at.line, at.item);
  SYMBREAK_UNROLL for (int j = 0; j < Layout::kFirst; ++j) {
    v[j] = to_complex(pixel_at(image, Layout::row_first(base, 0, j)));
  }
  Item<typename Layout::Axis, 0>(at.item).inverse(v, twiddles);
}

// And the way there.
template <class Layout>
SYMBREAK_DEVICE void object_to_rows(unsigned char* image, const PairedTwiddles<float>& twiddles,
                                    int q, Complex<float> (&v)[Layout::kFirst]) {
  schedule_fence();
  const OnChipPlace at(q, Layout::kFirstItems, Layout::kLast);
  const int base = Layout::row_first(at.line, at.item);
  Item<typename Layout::Axis, 0>(at.item).forward(v, twiddles);
  SYMBREAK_UNROLL for (int j = 0; j < Layout::kFirst; ++j) {
    pixel_at(image, Layout::row_first(base, 0, j)) = to_pixel(v[j]);
  }
}

}  // namespace symbreak
