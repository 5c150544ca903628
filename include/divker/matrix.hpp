// A dense row-major table of doubles: rows are points or paths, columns are components.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace divker {

struct Matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<double> data;  // rows * cols values, row after row

  Matrix() = default;
  Matrix(std::size_t rows_, std::size_t cols_, double value = 0.0)
      : rows(rows_), cols(cols_), data(rows_ * cols_, value) {}

  [[nodiscard]] double& operator()(std::size_t r, std::size_t c) { return data[r * cols + c]; }
  [[nodiscard]] double operator()(std::size_t r, std::size_t c) const { return data[r * cols + c]; }
  [[nodiscard]] std::span<double> row(std::size_t r) { return {data.data() + r * cols, cols}; }
  [[nodiscard]] std::span<const double> row(std::size_t r) const {
    return {data.data() + r * cols, cols};
  }
  [[nodiscard]] std::vector<double> column(std::size_t c) const {
    std::vector<double> values(rows);
    for (std::size_t r = 0; r < rows; ++r) values[r] = (*this)(r, c);
    return values;
  }
  bool operator==(const Matrix&) const = default;
};

}  // namespace divker
