// A law that was sampled, and what its sample tells of it: density, distribution function,
// quantiles.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answer/time_step.hpp"
#include "divker/density.hpp"
#include "divker/paths.hpp"
#include "estimate/localised_density.hpp"

namespace divker {

// x, nu and I of the marginal, the rows of each path one after the other.
struct LawRows {
  Snapshot snapshot;
  std::size_t of_path = 1;
};
struct LawSample {
  LawRows rows;
  std::optional<std::pair<LawRows, LawRows>> pairs;  // at dt and at dt/2
};

// Which states are told by their logarithms: the positive ones, unless paths are at zero or below.
class MarginalCoordinates {
 public:
  MarginalCoordinates(const Model& model, const std::vector<std::size_t>& marginal,
                      const Matrix& x);

  [[nodiscard]] ScoredSample of(const LawRows& rows) const;
  [[nodiscard]] Matrix of(Matrix points) const;
  // The density in states over that in coordinates.
  [[nodiscard]] double unit(const Matrix& points, std::size_t r) const;

 private:
  std::vector<bool> is_log_;
};

// At one time, or of the stationary law. What is remarkable goes to the record.
class Law {
 public:
  // `parameters`: names, of the columns of I.
  Law(const Model& model, const std::vector<std::size_t>& marginal, LawSample sample,
      const DensityOptions& options, std::vector<std::string> parameters);

  // At points, or where there are none on the sample's own grid.
  [[nodiscard]] LawAtTime tell(const Matrix& given, RunRecord& record) const;

 private:
  [[nodiscard]] const Snapshot& snapshot() const { return sample_.rows.snapshot; }
  [[nodiscard]] std::size_t paths() const { return snapshot().x().rows / sample_.rows.of_path; }
  [[nodiscard]] Matrix own_grid() const;
  [[nodiscard]] PointValues density(const Matrix& points, RunRecord& record) const;
  // F, then its response to each parameter.
  [[nodiscard]] PointValues distribution(const Matrix& points, RunRecord& record) const;
  void fill_distribution(PointValues& values, std::size_t r) const;
  [[nodiscard]] std::vector<StepBias> distribution_biases(double y) const;
  [[nodiscard]] PointValues quantiles(RunRecord& record) const;

  const DensityOptions& options_;
  double step_;
  std::vector<std::string> parameters_;
  LawSample sample_;
  MarginalCoordinates coordinates_;
  LocalisedDensity localised_;
};

}  // namespace divker
