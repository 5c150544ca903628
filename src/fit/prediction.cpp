#include "divker/prediction.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <memory>

#include "answer/rewrite.hpp"
#include "divker/error.hpp"
#include "divker/random.hpp"
#include "fit/coordinates.hpp"

namespace divker {
namespace {

using Eigen::Index;

std::vector<std::size_t> estimated_parameters(const Model& model) {
  if (model.errors().empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("The model {} tells no errors of its parameters: fit writes them to "
                            "its --out file as lines 'estimated a +- 0.1'.",
                            model.name()));
  }
  std::vector<std::size_t> parameters;
  for (const EstimateError& one : model.errors()) parameters.push_back(one.parameter);
  return parameters;
}

Eigen::MatrixXd covariance_in_u(const Model& model) {
  const std::vector<EstimateError>& errors = model.errors();
  const Eigen::VectorXd slopes =
      fit::slopes(model, estimated_parameters(model), model.parameter_values());
  const auto count = static_cast<Index>(errors.size());
  Eigen::VectorXd deviation(count);
  for (Index i = 0; i < count; ++i) {
    deviation[i] = errors[static_cast<std::size_t>(i)].standard_error / slopes[i];
  }
  Eigen::MatrixXd correlation = Eigen::MatrixXd::Identity(count, count);
  for (Index i = 0; i < count; ++i) {
    const std::vector<double>& row = errors[static_cast<std::size_t>(i)].correlations;
    for (std::size_t j = 0; j < row.size(); ++j) {
      correlation(i, static_cast<Index>(j)) = correlation(static_cast<Index>(j), i) = row[j];
    }
  }
  return deviation.asDiagonal() * correlation * deviation.asDiagonal();
}

// Correlations are rounded where they are written: what falls below zero by that is zero.
Eigen::MatrixXd principal_columns(const Model& model) {
  constexpr double rounded = 1e-4;
  const Eigen::MatrixXd covariance = covariance_in_u(model);
  const Eigen::VectorXd deviation = covariance.diagonal().cwiseSqrt();
  const Eigen::VectorXd inverse = deviation.cwiseInverse();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
      Eigen::MatrixXd(inverse.asDiagonal() * covariance * inverse.asDiagonal()));
  const Eigen::VectorXd& values = solver.eigenvalues();
  if (values.minCoeff() < -rounded * static_cast<double>(values.size())) {
    throw Error(ErrorKind::model,
                fmt::format("The correlations of the estimates of the model {} contradict each "
                            "other: their matrix has the eigenvalue {:.3g}, which must not be "
                            "negative.",
                            model.name(), values.minCoeff()));
  }
  return deviation.asDiagonal() * solver.eigenvectors() *
         Eigen::MatrixXd(values.cwiseMax(0.0).cwiseSqrt().asDiagonal());
}

// Row by row the samples of the model, as a path would have drawn them, and its parameters.
Matrix start_rows(const Model& model, const Matrix& parameters, std::uint64_t seed) {
  const std::size_t states = model.dimension();
  Matrix rows(parameters.rows, states + parameters.cols);
  const NormalSource pick(seed, Stream::pick);
  const Matrix* samples = model.starts_from_samples() ? model.samples().get() : nullptr;
  const std::vector<double> inside = model.initial_mean();  // of states that start otherwise
  for (std::size_t r = 0; r < rows.rows; ++r) {
    std::ranges::copy(inside, rows.row(r).begin());
    if (samples != nullptr) {
      const auto drawn =
          static_cast<std::size_t>(pick.uniform(r, 0) * static_cast<double>(samples->rows));
      std::ranges::copy(samples->row(drawn), rows.row(r).begin());
    }
    std::ranges::copy(parameters.row(r), rows.row(r).begin() + static_cast<std::ptrdiff_t>(states));
  }
  return rows;
}

}  // namespace

Matrix covariance_in_coordinates(const Model& model) {
  const Eigen::MatrixXd covariance = covariance_in_u(model);
  const auto count = static_cast<std::size_t>(covariance.rows());
  Matrix result(count, count);
  Eigen::Map<Eigen::MatrixXd>(result.data.data(), covariance.rows(), covariance.cols()) =
      covariance;
  return result;
}

std::vector<double> parameters_moved(const Model& model, std::span<const double> c) {
  const Eigen::Map<const Eigen::VectorXd> change(c.data(), static_cast<Index>(c.size()));
  return fit::moved(model, estimated_parameters(model), model.parameter_values(), change);
}

Matrix principal_errors(const Model& model) {
  const Eigen::MatrixXd columns = principal_columns(model);
  const auto count = static_cast<std::size_t>(columns.rows());
  std::vector<Index> kept;
  for (Index k = 0; k < columns.cols(); ++k) {
    if (columns.col(k).cwiseAbs().maxCoeff() > 0.0) kept.push_back(k);
  }
  Matrix result(count, kept.size());
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < kept.size(); ++k) {
      result(i, k) = columns(static_cast<Index>(i), kept[k]);
    }
  }
  return result;
}

std::vector<double> errors_by_fit(
    const Model& model, const std::function<std::vector<double>(const Model&)>& numbers_at) {
  const Matrix columns = principal_errors(model);
  std::vector<double> squares;
  for (std::size_t k = 0; k < columns.cols; ++k) {
    std::vector<double> change = columns.column(k);
    const auto above = numbers_at(model.with_parameters(parameters_moved(model, change)));
    for (double& c : change) c = -c;
    const auto below = numbers_at(model.with_parameters(parameters_moved(model, change)));
    squares.resize(above.size());
    for (std::size_t i = 0; i < above.size(); ++i) {
      squares[i] += 0.25 * (above[i] - below[i]) * (above[i] - below[i]);
    }
  }
  for (double& square : squares) square = std::sqrt(square);
  return squares;
}

Matrix drawn_parameters(const Model& model, std::size_t paths, std::uint64_t seed) {
  const std::vector<std::size_t> estimated = estimated_parameters(model);
  const Eigen::MatrixXd columns = principal_columns(model);
  const std::size_t count = estimated.size();
  const NormalSource normals(seed, Stream::parameters);
  Matrix drawn(paths, count);
  Eigen::VectorXd z(static_cast<Index>(count));
  for (std::size_t r = 0; r < paths; ++r) {
    for (std::size_t k = 0; k < count; ++k) {
      z[static_cast<Index>(k)] = normals.normal(r, 0, k, count);
    }
    const Eigen::VectorXd change = columns * z;
    const std::vector<double> values =
        parameters_moved(model, {change.data(), static_cast<std::size_t>(change.size())});
    for (std::size_t k = 0; k < count; ++k) drawn(r, k) = values[estimated[k]];
  }
  return drawn;
}

Model with_drawn_parameters(const Model& model, std::size_t paths, std::uint64_t seed) {
  constexpr double most_numbers = 128.0 * 1024.0 * 1024.0;
  const std::vector<std::size_t> estimated = estimated_parameters(model);
  const std::size_t columns = model.dimension() + estimated.size();
  if (static_cast<double>(paths) * static_cast<double>(columns) > most_numbers) {
    throw Error(ErrorKind::usage,
                fmt::format("{} paths, each with parameters of its own, are too many: they start "
                            "from {} numbers each, and the limit is 1 GiB in all.",
                            paths, columns));
  }
  if (model.starts_from_samples() && (!model.samples() || model.samples()->rows == 0)) {
    throw Error(ErrorKind::usage,
                fmt::format("Model {} starts from samples, but none were given.", model.name()));
  }
  const Matrix drawn = drawn_parameters(model, paths, seed);
  return parameters_as_states(model, estimated)
      .with_samples(std::make_shared<const Matrix>(start_rows(model, drawn, seed)));
}

}  // namespace divker
