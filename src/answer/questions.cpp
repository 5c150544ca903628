#include "answer/questions.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "answer/places_met.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/moments.hpp"
#include "numbers/monomials.hpp"

namespace divker {

void check_points(const Model& model, const Matrix& points) {
  if (points.cols != model.dimension()) {
    throw Error(ErrorKind::usage,
                fmt::format("The points have {} columns, but model {} has {} states.", points.cols,
                            model.name(), model.dimension()));
  }
  std::vector<std::size_t> all(model.dimension());
  std::iota(all.begin(), all.end(), std::size_t{0});
  check_points(model, all, points);
}

void check_points(const Model& model, const std::vector<std::size_t>& columns,
                  const Matrix& points) {
  if (points.rows == 0) throw Error(ErrorKind::usage, "No points were given.");
  for (std::size_t r = 0; r < points.rows; ++r) {
    for (std::size_t c = 0; c < points.cols; ++c) {
      const State& state = model.states()[columns[c]];
      const double value = points(r, c);
      if (!std::isfinite(value)) {
        throw Error(ErrorKind::model, fmt::format("Point number {} has the value {} for state {}.",
                                                  r, value, state.name));
      }
      if (state.range.contains(value)) continue;
      throw Error(
          ErrorKind::model,
          fmt::format("Point number {} has the value {} for state {}, which is declared {}.", r,
                      value, state.name, state.range.text()));
    }
  }
}

std::vector<std::string> state_names(const Model& model) {
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  return names;
}

std::vector<std::string> parameter_names(const Model& model,
                                         const std::vector<std::size_t>& parameters) {
  std::vector<std::string> names;
  names.reserve(parameters.size());
  for (const std::size_t p : parameters) names.push_back(model.parameters().at(p).name);
  return names;
}

void require_parameters(const Model& model, const std::vector<std::size_t>& parameters) {
  if (parameters.empty()) {
    throw Error(ErrorKind::usage, "Model " + model.name() +
                                      " has no parameter to differentiate (all are fixed, or none "
                                      "was asked for).");
  }
}

void require_divergence_kernel(const Method& method, const std::string& what) {
  const Estimator& asked = estimator(method.estimator);
  if (&asked == &estimator({})) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} are made by the method {} alone; the method {} makes none.", what,
                          estimator({}).name(), asked.name()));
}

void require_paths(const RunSummary& summary) {
  if (summary.paths < 2) {
    throw Error(ErrorKind::numerical,
                fmt::format("Only {} of {} paths finished: too few for an answer.", summary.paths,
                            summary.requested));
  }
}

void require_default_grid(const Model& model) {
  if (model.dimension() <= 2) return;
  throw Error(ErrorKind::usage,
              fmt::format("Model {} has {} states, so there is no default grid of points: give "
                          "the points with --at.",
                          model.name(), model.dimension()));
}

Matrix quantile_grid(const Model& model, const Matrix& sample, std::size_t count) {
  require_default_grid(model);
  if (sample.rows == 0) {
    throw Error(ErrorKind::numerical, "No path finished: there is nothing to grid.");
  }
  const std::size_t axes = sample.cols;
  Matrix points(axes == 1 ? count : count * count, axes);
  for (std::size_t c = 0; c < axes; ++c) {
    std::vector<double> x = sample.column(c);
    std::ranges::sort(x);
    const auto last = static_cast<double>(x.size() - 1);
    const double low = x[static_cast<std::size_t>(0.02 * last)];
    const double high = x[static_cast<std::size_t>(0.98 * last)];
    for (std::size_t r = 0; r < points.rows; ++r) {
      const std::size_t k = axes == 2 && c == 0 ? r / count : r % count;
      const double u = count == 1 ? 0.5 : static_cast<double>(k) / static_cast<double>(count - 1);
      points(r, c) = low + u * (high - low);
    }
  }
  return points;
}

std::vector<double> column_variances(const Matrix& values) {
  Moments moments(values.cols);
  moments.add(values);
  std::vector<double> variances(values.cols);
  for (std::size_t i = 0; i < variances.size(); ++i) variances[i] = moments.variance(i);
  return variances;
}

namespace {

constexpr std::size_t rows_to_a_coefficient = 20;

// Products of up to `degree` columns of z, the empty one first; none if they are more than `most`.
Eigen::MatrixXd monomials_of(const Eigen::MatrixXd& z, std::size_t degree, std::size_t most) {
  const auto variables = static_cast<std::size_t>(z.cols());
  if (numbers::count_monomials(variables, degree) > most) return {};
  const std::vector<numbers::Monomial> monomials = numbers::monomials_up_to(variables, degree);
  Eigen::MatrixXd columns =
      Eigen::MatrixXd::Ones(z.rows(), static_cast<Eigen::Index>(monomials.size()));
  for (std::size_t k = 0; k < monomials.size(); ++k) {
    auto column = columns.col(static_cast<Eigen::Index>(k)).array();
    for (const std::size_t v : monomials[k]) column *= z.col(static_cast<Eigen::Index>(v)).array();
  }
  return columns;
}

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const RowMajor> as_eigen(const Matrix& m) {
  return {m.data.data(), static_cast<Eigen::Index>(m.rows), static_cast<Eigen::Index>(m.cols)};
}

Eigen::MatrixXd standard_units(const Matrix& x) {
  Eigen::MatrixXd z = as_eigen(x);
  z.rowwise() -= z.colwise().mean().eval();
  for (Eigen::Index c = 0; c < z.cols(); ++c) {
    const double width = std::sqrt(z.col(c).squaredNorm() / static_cast<double>(z.rows()));
    if (width > 0.0) z.col(c) /= width;
  }
  return z;
}

}  // namespace

namespace {

struct Unexplained {
  RowMajor part;
  double freedom = 0.0;  // zero where there are too few rows for any polynomial
};

Unexplained unexplained(const Matrix& x, const Matrix& values) {
  constexpr std::size_t highest_degree = 4;
  const Eigen::MatrixXd z = standard_units(x);
  Eigen::MatrixXd features;
  for (std::size_t degree = highest_degree; degree > 0 && features.size() == 0; --degree) {
    features = monomials_of(z, degree, x.rows / rows_to_a_coefficient);
  }
  if (features.size() == 0) return {as_eigen(values), 0.0};
  constexpr double ridge = 1e-10;
  Eigen::MatrixXd gram = features.transpose() * features;
  gram.diagonal() *= 1.0 + ridge;
  const Eigen::MatrixXd y = as_eigen(values);
  return {y - features * gram.ldlt().solve(features.transpose() * y),
          static_cast<double>(features.rows() - features.cols())};
}

}  // namespace

std::vector<double> unexplained_variances(const Matrix& x, const Matrix& values) {
  const Unexplained found = unexplained(x, values);
  if (found.freedom == 0.0) return column_variances(values);
  std::vector<double> variances;
  for (Eigen::Index c = 0; c < found.part.cols(); ++c) {
    variances.push_back(found.part.col(c).squaredNorm() / found.freedom);
  }
  return variances;
}

Matrix unexplained_part(const Matrix& x, const Matrix& values) {
  const Unexplained found = unexplained(x, values);
  Matrix part(values.rows, values.cols);
  Eigen::Map<RowMajor>(part.data.data(), found.part.rows(), found.part.cols()) = found.part;
  return part;
}

Ensemble states_alone(const Model& model, const Session& session) {
  const BoundariesMet met = boundaries_met(model, {}, session);
  Asked asked = Asked::states();
  asked.beyond_boundaries = !met.boundaries.empty();
  return {met.in_roots ? model.stepped_in_roots() : model, {}, asked, session.marcher};
}

}  // namespace divker
