// Any matrix A that changes with time: Gaussian damping, A = E[S S^T] P_t^{-1}, is one.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "derive/damping.hpp"
#include "divker/error.hpp"

namespace divker {
namespace derive {
namespace {

const DampingMatrices& matrices_of(const Damping& damping) {
  static const DampingMatrices none;
  return damping.table ? static_cast<const DampingMatrices&>(*damping.table) : none;
}

class MatrixDamping final : public DampingForm {
 public:
  [[nodiscard]] std::string_view name() const override { return "gaussian"; }
  [[nodiscard]] std::string usage() const override { return "gaussian"; }

  [[nodiscard]] std::optional<Damping> parse(std::string_view text) const override {
    if (text != name()) return std::nullopt;
    return left_open(*this);
  }
  [[nodiscard]] std::string text(const Damping& /*damping*/) const override {
    return std::string(name());
  }

  void check(const Damping& damping, const Model& model) const override {
    const DampingMatrices& a = matrices_of(damping);
    const auto noisy =
        static_cast<std::size_t>(std::count(model.noisy().begin(), model.noisy().end(), true));
    for (const Matrix& matrix : a.matrices) {
      if (matrix.rows == noisy && matrix.cols == model.dimension()) continue;
      throw Error(ErrorKind::usage,
                  fmt::format("A damping matrix is {} x {}; this model needs {} x {}: its noisy "
                              "states by its states.",
                              matrix.rows, matrix.cols, noisy, model.dimension()));
    }
    if (a.matrices.empty() || a.matrices.size() != a.times.size()) {
      throw Error(ErrorKind::usage, fmt::format("The matrix damping has {} matrices for {} times.",
                                                a.matrices.size(), a.times.size()));
    }
  }

  // The argument is A by its noisy rows, row after row.
  [[nodiscard]] Damped derive(const DampingSite& site, const Damping& /*damping*/) const override {
    const Symbols& s = site.s;
    const Vector w = surprise(site);
    const std::size_t dimension = s.x.size();
    Damped damped{site.nu_div, {}};
    const Vector a = arguments_named(s, "A", w.size() * dimension, damped);
    for (std::size_t j = 0; j < dimension; ++j) {
      Vector column;
      for (std::size_t e = 0; e < w.size(); ++e) {
        column.push_back(a[e * dimension + j]);
      }
      damped.nu[j] = damped.nu[j] - dot(*s.graph, column, w);
    }
    return damped;
  }
  [[nodiscard]] std::size_t argument_count(const Damping& damping) const override {
    const DampingMatrices& a = matrices_of(damping);
    return a.matrices.empty() ? 0 : a.matrices.front().data.size();
  }
  // A where the step arrives, linear between the times that are known.
  void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                 std::span<double> out) const override {
    const std::vector<double>& times = matrices_of(damping).times;
    const std::vector<Matrix>& matrices = matrices_of(damping).matrices;
    const double time = grid.time(n + 1);
    const auto after = std::upper_bound(times.begin(), times.end(), time);
    const auto right = std::min<std::ptrdiff_t>(after - times.begin(),
                                                static_cast<std::ptrdiff_t>(times.size()) - 1);
    const auto left = std::max<std::ptrdiff_t>(after - times.begin() - 1, 0);
    const double t0 = times[static_cast<std::size_t>(left)];
    const double t1 = times[static_cast<std::size_t>(right)];
    const double weight = t1 > t0 ? (time - t0) / (t1 - t0) : 0.0;
    const std::vector<double>& a = matrices[static_cast<std::size_t>(left)].data;
    const std::vector<double>& b = matrices[static_cast<std::size_t>(right)].data;
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = (1.0 - weight) * a[k] + weight * b[k];
  }
  [[nodiscard]] std::vector<double> hidden_numbers(const Damping& damping) const override {
    const DampingMatrices& a = matrices_of(damping);
    std::vector<double> all = a.times;
    for (const Matrix& matrix : a.matrices) {
      all.insert(all.end(), matrix.data.begin(), matrix.data.end());
    }
    return all;
  }
};

}  // namespace

const DampingForm& matrix_form() {
  static const MatrixDamping form;
  return form;
}

}  // namespace derive

Damping matrix_damping(std::vector<double> times, std::vector<Matrix> matrices) {
  auto table = std::make_shared<DampingMatrices>();
  table->times = std::move(times);
  table->matrices = std::move(matrices);
  Damping damping;
  damping.form = &derive::matrix_form();
  damping.table = std::move(table);
  return damping;
}

}  // namespace divker
