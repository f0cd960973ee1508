// Bank conflicts of the phasing kernels, counted with the functions that give their addresses: for
// every kernel and pass, wavefronts of shared memory a warp's access takes over the least possible.
#include <algorithm>
#include <cstdio>
#include <set>

#include "cuda/on_chip_layout.h"
#include "cuda/two_pass_axes.h"
#include "cuda/two_pass_columns.h"
#include "cuda/two_pass_rows.h"

using namespace symbreak;

namespace {

unsigned char memory[1 << 20];

// 128 bytes of a warp's access go at once, if no bank is asked for two of its 4-byte words.
struct Count {
  int bytes;
  long taken = 0, least = 0;

  template <typename AddressOf>
  void access(AddressOf&& address_of) {
    const int together = 128 / bytes < 32 ? 128 / bytes : 32;
    for (int first = 0; first < 32; first += together) {
      std::set<long> words[32];
      size_t most = 0;
      for (int lane = first; lane < first + together; ++lane) {
        const long address = address_of(lane);
        if (address < 0) continue;  // a thread without work
        for (long word = address / 4; word < (address + bytes) / 4; ++word) {
          words[word % 32].insert(word);
          most = std::max(most, words[word % 32].size());
        }
      }
      taken += long(most);
      least += most > 0;
    }
  }

  void print(const char* kernel, const char* type, int size, const char* pass) const {
    std::printf("%s %s %d %s %.3f\n", kernel, type, size, pass, double(taken) / double(least));
  }
};

// address(thread, round, point) for all warps, rounds and points.
template <typename Address>
void count(const char* kernel, const char* type, int size, const char* pass, int bytes, int threads,
           int rounds, int points, Address&& address) {
  Count found{bytes};
  for (int warp = 0; warp < threads / 32; ++warp) {
    for (int round = 0; round < rounds; ++round) {
      for (int point = 0; point < points; ++point) {
        found.access([&](int lane) { return address(32 * warp + lane, round, point); });
      }
    }
  }
  found.print(kernel, type, size, pass);
}

template <class Layout>
void on_chip() {
  emulation::Thread self;
  emulation::current_thread = &self;
  const auto pass = [&](const char* name, int rounds, int items, int points, auto&& address) {
    count("on_chip", "float", Layout::kSize, name, 8, Layout::kThreads, rounds, points,
          [&](int thread, int round, int point) -> long {
            self.index.x = unsigned(thread);
            return address(OnChipPlace(round, rounds, items), point);
          });
  };
  constexpr int kFirstItems = Layout::kFirstItems, kLastItems = Layout::kLastItems;
  pass("row_first", kFirstItems, Layout::kLast, Layout::kFirst, [](OnChipPlace at, int j) {
    return Layout::row_first(Layout::row_first(at.line, at.item), 0, j);
  });
  pass("row_last", kLastItems, Layout::kFirst, Layout::kLast, [](OnChipPlace at, int n) {
    return Layout::row_last(Layout::row_last(at.line, at.item), 0, n);
  });
  pass("column_first", kFirstItems, Layout::kStep, Layout::kFirst, [](OnChipPlace at, int j) {
    return Layout::column_first(Layout::column_first(at.line, at.item), 0, j);
  });
  pass("column_last", kLastItems, Layout::kFirst / Layout::kBlocks, Layout::kStep,
       [](OnChipPlace at, int n) {
         return Layout::column_last(Layout::column_last(at.line, at.item), 0, n);
       });
}

template <typename T, class Axis, int kPass, class Tile>
void tile_pass(const char* kernel, const char* pass, int threads, int lines, bool lines_first) {
  using Pass = Item<Axis, kPass>;
  const Tile tile{reinterpret_cast<Pixel<T>*>(memory)};
  const int work = lines * Pass::kCount, rounds = (work + threads - 1) / threads;
  count(kernel, sizeof(T) == 4 ? "float" : "double", Axis::kLength, pass, sizeof(Pixel<T>), threads,
        rounds, Pass::kRadix, [&](int thread, int round, int point) -> long {
          const int i = round * threads + thread;
          if (i >= work) return -1;
          const int line = lines_first ? i % lines : i / Pass::kCount;
          const Pass item(lines_first ? i / lines : i % Pass::kCount);
          return reinterpret_cast<unsigned char*>(&tile.at(line, item)[point]) - memory;
        });
}

template <typename T, class Axis, class Tile>
void tile(const char* kernel, int threads, int lines, bool lines_first) {
  tile_pass<T, Axis, 0, Tile>(kernel, "first", threads, lines, lines_first);
  if constexpr (Axis::kPasses == 3) {
    tile_pass<T, Axis, 1, Tile>(kernel, "middle", threads, lines, lines_first);
  }
  tile_pass<T, Axis, Axis::kPasses - 1, Tile>(kernel, "last", threads, lines, lines_first);
}

template <typename T>
void two_pass() {
  for (int length = 32; length <= 1024; length += 16) {
    with_two_pass_axis(length, []<int... kR>(Radices<kR...>) {
      using Axis = Radices<kR...>;
      using Rows = RowTile<T, Axis>;
      using Columns = ColumnTile<T, Axis>;
      static_assert(Rows::kBytes <= sizeof(memory) && Columns::kBytes <= sizeof(memory));
      tile<T, Axis, Rows>("rows", kRowThreads, Rows::kLines, false);
      tile<T, Axis, Columns>("columns", Columns::kThreads, Columns::kColumns, true);
    });
  }
}

}  // namespace

int main() {
  on_chip<OnChipLayout<Radices<8, 8>>>();
  on_chip<OnChipLayout<Radices<16, 8>>>();
  on_chip<OnChipLayout<Radices<16, 16>, 4>>();
  two_pass<float>();
  two_pass<double>();
}
