// Measured functions of time that a model depends on: u(t), known at some times.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

inline constexpr std::size_t most_inputs = 1'000;  // of a model

// What lies between two knots.
enum class Interpolation {
  linear,
  step,  // the value of the knot before
};
[[nodiscard]] std::string_view name_of(Interpolation interpolation);

// Values u_k at times t_k, k = 0 ... n - 1, n >= 2, the times ascending and all numbers finite.
class Knots {
 public:
  // Error(model) with the first fault and its knot.
  Knots(std::vector<double> times, std::vector<double> values);

  struct Fault {
    std::size_t knot = 0;  // from 0
    std::string sentence;
  };
  // Why these are no knots; none where they are.
  [[nodiscard]] static std::optional<Fault> fault(std::span<const double> times,
                                                  std::span<const double> values);

  [[nodiscard]] const std::vector<double>& times() const { return times_; }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }

  // linear: u_k + (u_{k+1} - u_k) (t - t_k) / (t_{k+1} - t_k); step: u_k, for t_k <= t < t_{k+1}.
  // Before the first and after the last knot it is their value. A time that rounding has put just
  // before a knot is that of the knot. Cost: a binary search.
  [[nodiscard]] double at(double t, Interpolation interpolation) const;
  // Is the time, but for its rounding, between the first and the last knot?
  [[nodiscard]] bool reach(double t) const;

 private:
  std::vector<double> times_;
  std::vector<double> values_;
};

// An input u of a model: a number for every time, the same for all paths. Equations do not know its
// values; they are read from a file (divker/model.hpp, with_inputs) and enter a step as t does.
struct Input {
  std::string name;
  std::string file = {};  // as written in the model; "": the knots come from elsewhere
  std::string time_column = "t";
  std::string value_column = {};  // "": that of the input's name
  Interpolation interpolation = Interpolation::linear;
  bool hold = false;                        // constant before the first and after the last knot
  std::shared_ptr<const Knots> knots = {};  // null: not read yet
  NodeId node = 0;                          // its input in the graph

  [[nodiscard]] std::string column_of_values() const {
    return value_column.empty() ? name : value_column;
  }
  // Not a number where the knots are not read yet. Error(model) outside them, unless `hold`.
  [[nodiscard]] double at(double t) const;
  // Error(usage) where the knots are not read, Error(model) where they do not reach from the start
  // to the end of a run.
  void require(double start, double end) const;
};

}  // namespace divker
