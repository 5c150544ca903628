#include "divker/regressor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/error.hpp"
#include "estimate/local_regressor.hpp"
#include "estimate/polynomial_regressor.hpp"

namespace divker {
namespace {

void check_finite(const Matrix& m, const char* name) {
  const auto bad = std::find_if(m.data.begin(), m.data.end(),
                                [](double value) { return !std::isfinite(value); });
  if (bad == m.data.end()) return;
  const auto at = static_cast<std::size_t>(bad - m.data.begin());
  throw Error(ErrorKind::usage, fmt::format("{}: row {}, column {} is {}, which is not finite",
                                            name, at / m.cols, at % m.cols, *bad));
}

struct Method {
  std::string name;
  std::unique_ptr<Regressor> (*make)(const RegressorOptions&);
};

// A new regressor is one class and one line here.
const std::vector<Method>& methods() {
  static const std::vector<Method> table = {{"bins", make_bins},
                                            {"neighbours", make_neighbours},
                                            {"kernel", make_kernel},
                                            {"local-linear", make_local_linear},
                                            {"polynomial", make_polynomial}};
  return table;
}

Matrix rows_of_fold(const Matrix& m, std::size_t fold, std::size_t folds, bool inside) {
  Matrix result;
  result.cols = m.cols;
  for (std::size_t r = 0; r < m.rows; ++r) {
    if ((r % folds == fold) != inside) continue;
    const auto row = m.row(r);
    result.data.insert(result.data.end(), row.begin(), row.end());
    ++result.rows;
  }
  return result;
}

}  // namespace

void Regressor::fit(const Matrix& x, const Matrix& y) {
  if (x.rows != y.rows) {
    throw Error(
        ErrorKind::usage,
        fmt::format("the regressor has {} points but {} values; expected as many", x.rows, y.rows));
  }
  if (x.rows < 2 || x.cols == 0 || y.cols == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("the regressor has a sample of {} points in {} dimensions with {} "
                            "columns of values; expected at least 2, 1 and 1",
                            x.rows, x.cols, y.cols));
  }
  check_finite(x, "the points of the sample");
  check_finite(y, "the values of the sample");
  dimension_ = 0;
  do_fit(x, y);
  dimension_ = x.cols;
}

void Regressor::check_points(const Matrix& points) const {
  if (dimension_ == 0) throw Error(ErrorKind::usage, "the regressor has not been fitted yet");
  if (points.cols != dimension_) {
    throw Error(ErrorKind::usage,
                fmt::format("the points to predict at have {} columns; expected {}", points.cols,
                            dimension_));
  }
  check_finite(points, "the points to predict at");
}

Prediction Regressor::predict(const Matrix& points) const {
  check_points(points);
  return do_predict(points);
}

Matrix Regressor::evaluate(const Matrix& points) const {
  check_points(points);
  return do_evaluate(points);
}

Matrix Regressor::leave_one_out() const {
  if (dimension_ == 0) throw Error(ErrorKind::usage, "the regressor has not been fitted yet");
  return do_leave_one_out();
}

std::vector<std::string> regressor_names() {
  std::vector<std::string> names;
  for (const Method& method : methods()) names.push_back(method.name);
  return names;
}

std::unique_ptr<Regressor> make_regressor(const std::string& name,
                                          const RegressorOptions& options) {
  if (!(options.bandwidth >= 0.0) || std::isinf(options.bandwidth)) {
    throw Error(ErrorKind::usage, fmt::format("the bandwidth of the regressor is {}; expected a "
                                              "positive number, or 0 for the rule",
                                              options.bandwidth));
  }
  if (options.degree < 0 || options.degree > 2) {
    throw Error(ErrorKind::usage,
                fmt::format("the degree of the regressor is {}; expected 1 or 2", options.degree));
  }
  std::string known;
  for (const Method& method : methods()) {
    if (method.name == name) return method.make(options);
    known += (known.empty() ? "" : ", ") + method.name;
  }
  throw Error(ErrorKind::usage,
              fmt::format("there is no regressor '{}'; the known ones are {}", name, known));
}

std::string default_regressor(std::size_t dimension, std::size_t samples) {
  constexpr std::size_t kLocal = 8;
  return dimension <= kLocal && samples >= 20 * (dimension + 1) ? "local-linear" : "polynomial";
}

std::size_t default_neighbours(std::size_t dimension, std::size_t samples) {
  const double rate = 4.0 / (4.0 + static_cast<double>(dimension));
  const double balanced = 0.5 * std::pow(static_cast<double>(samples), rate);
  return std::clamp<std::size_t>(static_cast<std::size_t>(balanced),
                                 std::min<std::size_t>(10, samples), samples);
}

Matrix cross_fit(const std::string& name, const RegressorOptions& options, const Matrix& x,
                 const Matrix& y, std::size_t folds) {
  if (folds < 2 || folds > x.rows) {
    throw Error(ErrorKind::usage, fmt::format("cross-fitting has {} folds for {} samples; expected "
                                              "2 to the number of samples",
                                              folds, x.rows));
  }
  Matrix result(y.rows, y.cols);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    const auto regressor = make_regressor(name, options);
    regressor->fit(rows_of_fold(x, fold, folds, false), rows_of_fold(y, fold, folds, false));
    const Matrix values = regressor->evaluate(rows_of_fold(x, fold, folds, true));
    for (std::size_t r = 0; r < values.rows; ++r) {
      const auto row = values.row(r);
      std::copy(row.begin(), row.end(), result.row(fold + r * folds).begin());
    }
  }
  return result;
}

}  // namespace divker
