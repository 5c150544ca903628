// Doubles aligned for the widest vectors.
#pragma once

#include <cstddef>
#include <vector>

namespace divker::numbers {

class AlignedArray {
 public:
  void resize(std::size_t count) { lines_.resize((count + 7) / 8); }
  [[nodiscard]] double* data() { return lines_.empty() ? nullptr : lines_.front().values; }
  [[nodiscard]] const double* data() const {
    return lines_.empty() ? nullptr : lines_.front().values;
  }

 private:
  struct alignas(64) Line {
    double values[8] = {};
  };
  std::vector<Line> lines_;
};

}  // namespace divker::numbers
