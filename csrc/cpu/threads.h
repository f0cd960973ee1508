// How many threads to use, and where they may come from.
#pragma once

#include <functional>

namespace symbreak {

struct Threads {
  int count = 1;
  // Calls part(i, i + 1) for 0 <= i < count, part(0, 1) here and the others on the threads of a
  // pool, or with wider ranges where it has fewer; null: there is no pool.
  void (*pool)(int count, const std::function<void(int begin, int end)>& part) = nullptr;
};

}  // namespace symbreak
