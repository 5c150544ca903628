// Random numbers of consecutive steps for a block of paths, made some steps at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "divker/random.hpp"
#include "numbers/aligned_array.hpp"

namespace divker::march {

// `fine` of them make one of a step: paths of dt and of dt/2 have the same Brownian motion.
class StepNumbers {
 public:
  StepNumbers(const NormalSource& source, std::size_t count, std::size_t vectors, std::size_t lanes,
              std::size_t fine)
      : source_(source),
        count_(count),
        vectors_(vectors),
        lanes_(lanes),
        fine_(fine),
        batch_(steps_per_fill(count, vectors * lanes)) {
    numbers_.resize(size() * batch_);
    if (fine > 1) fine_numbers_.resize(size() * batch_ * fine);
  }

  // Of step n, which follows the step of the last call or begins with the first path.
  const double* of_step(std::uint64_t first_path, std::size_t n) {
    if (n % batch_ == 0) draw(first_path, n);
    return numbers_.data() + (n % batch_) * size();
  }
  // Where they lie, zero before the first call.
  [[nodiscard]] const double* data() const { return numbers_.data(); }

 private:
  // Few enough steps to stay in the first-level cache, many enough that the call does not count.
  static std::size_t steps_per_fill(std::size_t count, std::size_t paths) {
    constexpr std::size_t most_numbers = 2048;
    const std::size_t least = batch_steps(count);
    const std::size_t numbers = std::max<std::size_t>(1, least * count * paths);
    return least * std::max<std::size_t>(1, most_numbers / numbers);
  }
  [[nodiscard]] std::size_t size() const { return vectors_ * lanes_ * count_; }  // of one step

  void draw(std::uint64_t first_path, std::size_t n) {
    if (fine_ <= 1) {
      source_.fill(first_path, n, batch_, vectors_, count_, lanes_, numbers_.data());
      return;
    }
    source_.fill(first_path, n * fine_, batch_ * fine_, vectors_, count_, lanes_,
                 fine_numbers_.data());
    const double scale = 1.0 / std::sqrt(static_cast<double>(fine_));
    for (std::size_t step = 0; step < batch_; ++step) {
      const double* from = fine_numbers_.data() + step * fine_ * size();
      double* to = numbers_.data() + step * size();
      for (std::size_t i = 0; i < size(); ++i) {
        double sum = 0.0;
        for (std::size_t k = 0; k < fine_; ++k) sum += from[k * size() + i];
        to[i] = scale * sum;
      }
    }
  }

  const NormalSource& source_;
  std::size_t count_, vectors_, lanes_, fine_, batch_;
  numbers::AlignedArray numbers_, fine_numbers_;
};

}  // namespace divker::march
