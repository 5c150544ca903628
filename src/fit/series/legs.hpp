// Transitions as the parts of a fit see them.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <memory>
#include <vector>

#include "divker/model.hpp"
#include "divker/series.hpp"
#include "divker/state_coordinates.hpp"

namespace divker::fit {

// How transitions are stepped: beyond the boundaries of the equations where there are some, and
// states with a range in a coordinate.
class LegRules {
 public:
  explicit LegRules(const Model& model);

  bool beyond_boundaries = false;
  // Columns of states as columns of coordinates; not a number where a state has left its range.
  [[nodiscard]] Eigen::MatrixXd coordinates(Eigen::MatrixXd states) const;

 private:
  std::vector<Range> ranges_;
  std::vector<std::shared_ptr<const divker::Coordinate>> coordinates_;  // null: the state as it is
};

// Transitions in the order of their number of substeps, so that neighbours march together.
struct Legs {
  Eigen::MatrixXd from;   // M x transitions, states
  Eigen::MatrixXd start;  // the same in coordinates
  Eigen::MatrixXd end;    // where they lead, in coordinates
  Eigen::VectorXd time, interval;
  std::vector<std::size_t> substeps;  // even
  std::vector<std::size_t> number;    // in the data

  [[nodiscard]] std::size_t size() const { return substeps.size(); }
  [[nodiscard]] std::size_t dimension() const { return static_cast<std::size_t>(from.rows()); }
  // Some of them, in the same order.
  [[nodiscard]] Legs part(const std::vector<std::size_t>& which) const;
  // Evenly spread ones, at most so many.
  [[nodiscard]] Legs sample(std::size_t most) const;
  // Sorted by other numbers of substeps, one for each in the present order.
  [[nodiscard]] Legs with_substeps(std::vector<std::size_t> others) const;
  // Begin and end of pieces of at most so many that have equal numbers of substeps.
  [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> pieces(std::size_t most) const;
};

// With two substeps each.
[[nodiscard]] Legs legs_of(const SeriesData& data, const LegRules& rules);

}  // namespace divker::fit
