// Independent pieces of work on threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "divker/ranks.hpp"

namespace divker {

// Calls work(begin, end) for the pieces [0, block), [block, 2 block), ... of [0, size). The pieces
// do not depend on the number of threads (0: one for each core), so work that writes only its own
// piece gives the same bits for any number. The first exception is passed on.
template <typename Work>
void for_each_block(std::size_t size, std::size_t block, std::size_t threads, const Work& work) {
  const std::size_t pieces = (size + block - 1) / block;
  threads = std::min<std::size_t>(threads_or_cores(static_cast<unsigned>(threads)), pieces);
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&] {
    try {
      for (std::size_t piece = next++; piece < pieces; piece = next++) {
        work(piece * block, std::min(size, (piece + 1) * block));
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

// A sum over `size` rows: work(begin, end, part) adds what a piece of whole blocks of rows gives to
// its own part, which begins as `zero`. At most sixteen pieces, and the parts are added in their
// order: the same bits for any number of threads. Memory: sixteen parts.
template <typename Sum, typename Work>
[[nodiscard]] Sum sum_over_rows(std::size_t size, std::size_t block, std::size_t threads,
                                const Sum& zero, const Work& work) {
  constexpr std::size_t pieces = 16;
  const std::size_t blocks = (size + block - 1) / block;
  const std::size_t piece = std::max<std::size_t>(1, (blocks + pieces - 1) / pieces) * block;
  std::vector<Sum> parts((size + piece - 1) / piece, zero);
  for_each_block(size, piece, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; at += block) {
      work(at, std::min(at + block, end), parts[begin / piece]);
    }
  });
  Sum total = zero;
  for (const Sum& part : parts) total += part;
  return total;
}

}  // namespace divker
