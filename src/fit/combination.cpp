#include "fit/combination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace divker::fit {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// A product of powers of the parameters, or a sum of multiples of them.
struct Combination {
  bool is_product = false;
  VectorXd numbers;  // exponents, or coefficients

  [[nodiscard]] double value(const VectorXd& at) const {
    return is_product ? at.array().pow(numbers.array()).prod() : numbers.dot(at);
  }
  [[nodiscard]] VectorXd gradient(const VectorXd& at) const {
    return is_product ? VectorXd(value(at) * numbers.cwiseQuotient(at)) : numbers;
  }
  [[nodiscard]] bool holds(const Elsewhere& place, double tolerance) const {
    if (place.unnoticed.cols() == 0) return false;
    const VectorXd along = gradient(place.values);
    // Each against what its terms would be without the others.
    const MatrixXd terms = along.asDiagonal() * place.unnoticed;
    const Eigen::ArrayXd sums = terms.colwise().sum().transpose();
    const Eigen::ArrayXd sizes = terms.cwiseAbs().colwise().sum().transpose();
    return (sums.abs() <= tolerance * sizes).all();
  }
};

// The smallest multiple of which all entries are whole, but for the tolerance. With a large one
// many factors would find a multiple by chance.
std::optional<VectorXd> whole_multiple(const VectorXd& row, double tolerance) {
  constexpr int most = 6;
  const int largest_factor = tolerance < 1e-3 ? most : 2;
  for (int factor = 1; factor <= largest_factor; ++factor) {
    const VectorXd multiple = row * factor;
    const VectorXd whole = multiple.array().round();
    const Eigen::ArrayXd misses = (multiple - whole).array().abs();
    if ((misses > tolerance * whole.array().abs().max(1.0)).any()) continue;
    if (whole.cwiseAbs().maxCoeff() <= most && !whole.isZero()) return whole;
  }
  return std::nullopt;
}

std::string product_text(const Standing& at, const VectorXd& exponents) {
  std::vector<std::string> above, below;
  for (Index i = 0; i < exponents.size(); ++i) {
    if (exponents[i] == 0.0) continue;
    const std::string& name = at.parameters[static_cast<std::size_t>(i)].name;
    const double size = std::fabs(exponents[i]);
    const std::string factor = size == 1.0 ? name : fmt::format("{}^{:.0f}", name, size);
    (exponents[i] > 0.0 ? above : below).push_back(factor);
  }
  std::string text = fmt::format("{}", fmt::join(above, "*"));
  if (below.empty()) return text;
  if (below.size() == 1) return text + "/" + below.front();
  return fmt::format("{}/({})", text, fmt::join(below, "*"));
}

std::string sum_text(const Standing& at, const VectorXd& coefficients) {
  std::string text;
  for (Index i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i] == 0.0) continue;
    const double size = std::fabs(coefficients[i]);
    if (!text.empty()) {
      text += coefficients[i] < 0.0 ? " - " : " + ";
    } else if (coefficients[i] < 0.0) {
      text += "-";
    }
    if (size != 1.0) text += fmt::format("{:.4g}*", size);
    text += at.parameters[static_cast<std::size_t>(i)].name;
  }
  return text;
}

// Of the parameters that have a number.
bool are_positive(const Standing& at, const VectorXd& numbers) {
  return ((numbers.array() == 0.0) || (at.values.array() > 0.0)).all();
}

bool are_logarithmic(const Standing& at, const VectorXd& numbers) {
  for (Index i = 0; i < numbers.size(); ++i) {
    const Parameter& parameter = at.parameters[static_cast<std::size_t>(i)];
    if (numbers[i] == 0.0) continue;
    if (parameter.lower != 0.0 || std::isfinite(parameter.upper)) return false;
  }
  return true;
}

// The one with this gradient, whose first entry that is not zero is 1.
std::optional<Combination> combination(const Standing& at, const VectorXd& gradient,
                                       double tolerance, bool all) {
  std::optional<VectorXd> exponents;
  if (are_positive(at, gradient)) {
    const VectorXd powers = gradient.cwiseProduct(at.values);
    Index first = 0;
    while (powers[first] == 0.0) ++first;
    exponents = whole_multiple(powers / powers[first], tolerance);
  }
  const auto coefficients = whole_multiple(gradient, tolerance);
  if (exponents && coefficients) {
    const Combination product{true, *exponents};
    const Combination sum{false, *coefficients};
    const auto place = at.elsewhere ? at.elsewhere() : std::nullopt;
    if (place && product.holds(*place, tolerance) != sum.holds(*place, tolerance)) {
      return product.holds(*place, tolerance) ? product : sum;
    }
    return are_logarithmic(at, gradient) ? product : sum;
  }
  if (exponents) return Combination{true, *exponents};
  if (coefficients) return Combination{false, *coefficients};
  if (all) return Combination{false, gradient};
  return std::nullopt;
}

DeterminedCombination reported(const Standing& at, const Combination& one) {
  const VectorXd gradient = one.gradient(at.values);
  const double variance = gradient.dot(at.covariance * gradient);
  DeterminedCombination result;
  result.expression = one.is_product ? product_text(at, one.numbers) : sum_text(at, one.numbers);
  for (Index i = 0; i < one.numbers.size(); ++i) {
    if (one.numbers[i] == 0.0) continue;
    result.parameters.push_back(at.parameters[static_cast<std::size_t>(i)].name);
  }
  result.value = one.value(at.values);
  result.standard_error = std::sqrt(std::max(variance, 0.0));
  return result;
}

}  // namespace

MatrixXd reduced_rows(MatrixXd rows, double tolerance) {
  Index done = 0;
  for (Index column = 0; column < rows.cols() && done < rows.rows(); ++column) {
    Index pivot = 0;
    const double largest = rows.col(column).tail(rows.rows() - done).cwiseAbs().maxCoeff(&pivot);
    if (!(largest > tolerance)) continue;
    rows.row(done).swap(rows.row(done + pivot));
    rows.row(done) /= VectorXd(rows.col(column))[done];
    const VectorXd factors = rows.col(column);
    for (Index r = 0; r < rows.rows(); ++r) {
      if (r != done) rows.row(r) -= factors[r] * rows.row(done);
    }
    ++done;
  }
  MatrixXd kept = rows.topRows(done);
  return (kept.array().abs() > tolerance).select(kept, 0.0);
}

std::vector<DeterminedCombination> determined_combinations(const Standing& standing,
                                                           const MatrixXd& directions,
                                                           double tolerance, bool all) {
  constexpr double rounding = 1e-7;
  std::vector<Index> touched;
  for (Index i = 0; i < directions.rows(); ++i) {
    if ((directions.row(i).array().abs() > rounding).any()) touched.push_back(i);
  }
  // Of many numbers that are not known well some are whole by chance.
  constexpr std::size_t few = 3;
  if (touched.empty() || (!all && touched.size() > few)) return {};
  const MatrixXd part = directions(touched, Eigen::all);
  // What is orthogonal to the directions: the last columns of Q in their QR factors.
  const Eigen::ColPivHouseholderQR<MatrixXd> factors(part);
  const MatrixXd basis = factors.householderQ() * MatrixXd::Identity(part.rows(), part.rows());
  const MatrixXd rows =
      reduced_rows(basis.rightCols(part.rows() - factors.rank()).transpose(), tolerance / 3.0);
  std::vector<DeterminedCombination> combinations;
  for (const auto& row : rows.rowwise()) {
    VectorXd gradient = VectorXd::Zero(directions.rows());
    for (std::size_t i = 0; i < touched.size(); ++i) {
      const Index p = touched[i];
      gradient[p] = row[static_cast<Index>(i)] / (standing.scale[p] * standing.slopes[p]);
    }
    Index pivot = 0;
    while (gradient[pivot] == 0.0) ++pivot;
    gradient /= VectorXd(gradient)[pivot];
    const auto found = combination(standing, gradient, tolerance, all);
    if (found) combinations.push_back(reported(standing, *found));
  }
  return combinations;
}

}  // namespace divker::fit
