// Series of which not all is seen, as a fit sees them.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <memory>
#include <vector>

#include "divker/hidden_series.hpp"
#include "divker/model.hpp"
#include "divker/state_coordinates.hpp"

namespace divker::fit {

// Of one individual. Not a number where nothing was seen.
struct SeenRecord {
  Eigen::VectorXd time;               // of its rows
  Eigen::MatrixXd exact;              // M x rows: states that are seen without noise, coordinates
  Eigen::MatrixXd noisy;              // observations that are seen x rows
  std::vector<std::size_t> substeps;  // even, of the interval after each row but the last

  [[nodiscard]] std::size_t rows() const { return static_cast<std::size_t>(time.size()); }
  // The measurements with noise in a row, and for each 1 or, where it is missing, 0.
  [[nodiscard]] std::vector<double> seen_at(std::size_t row) const;
};

// The coordinates in which paths are guided: logarithms of positive states, no roots.
class GuidedCoordinates {
 public:
  explicit GuidedCoordinates(const Model& model);
  // u of a state, and log |du/dx|.
  [[nodiscard]] double at_state(std::size_t state, double x) const;
  [[nodiscard]] double log_stretch(std::size_t state, double x) const;

 private:
  std::vector<std::shared_ptr<const divker::Coordinate>> coordinates_;
};

struct SeenRecords {
  std::vector<SeenRecord> records;
  std::vector<std::size_t> exact;  // states that are seen without noise somewhere
  std::vector<std::size_t> noisy;  // observations that are seen
  double log_stretch = 0.0;        // of what is seen exactly after first rows: log |du/dx|, its sum
};
// Error(model) for a value outside the range of its state.
[[nodiscard]] SeenRecords records_of(const Model& model, const HiddenSeries& data);

}  // namespace divker::fit
