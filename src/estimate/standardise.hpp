// Coordinates with mean zero and standard deviation one.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/moments.hpp"

namespace divker {

class Standardisation {
 public:
  Standardisation() = default;
  explicit Standardisation(const Matrix& x) {
    Moments moments(x.cols);
    moments.add(x);
    mean_ = moments.mean();
    for (std::size_t c = 0; c < x.cols; ++c) {
      const double deviation = std::sqrt(moments.variance(c));
      // A constant coordinate keeps its unit: points off its value are then seen as far away.
      scale_.push_back(deviation > 0.0 ? 1.0 / deviation : 1.0);
    }
  }

  [[nodiscard]] Matrix operator()(const Matrix& x) const {
    Matrix result(x.rows, x.cols);
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t c = 0; c < x.cols; ++c) result(r, c) = (x(r, c) - mean_[c]) * scale_[c];
    }
    return result;
  }

 private:
  std::vector<double> mean_;
  std::vector<double> scale_;
};

}  // namespace divker
