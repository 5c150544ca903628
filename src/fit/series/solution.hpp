// The root of the equation of a series.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/model.hpp"
#include "divker/sampling.hpp"
#include "fit/series/equation.hpp"

namespace divker::fit {

// Where the iterations stand.
struct SeriesPoint {
  TransitionPaths::Run run;
  Eigen::VectorXd limits;
  EquationValue value;
};

struct Solution {
  SeriesPoint point;
  bool converged = false;
  std::string reason;
};

class SeriesSolver {
 public:
  SeriesSolver(const Model& model, const std::vector<std::size_t>& active,
               const TransitionPaths& paths, const Equation& equation, const Legs& legs)
      : model_(model),
        active_(active),
        paths_(paths),
        equation_(equation),
        sample_(legs.sample(150)) {}

  // The equation at these values, carried as is best there.
  [[nodiscard]] SeriesPoint begin(TransitionPaths::Run run) const;
  // Newton's method on the merit, with steps of the EM gradient where it does not lead down. Each
  // step is appended to the history; none at all where it was stopped.
  [[nodiscard]] std::optional<Solution> solve(SeriesPoint point, std::size_t iterations,
                                              const Session& session,
                                              std::vector<FitIteration>& history) const;
  [[nodiscard]] Eigen::VectorXd scale(const std::vector<double>& parameters) const;

 private:
  struct Move {
    Eigen::VectorXd change;
    bool whole = true;  // not shortened
  };
  struct Taken {
    SeriesPoint there;
    Eigen::VectorXd by;
    std::size_t halvings = 0;
    bool is_whole = true;  // a step of Newton's method as long as it came out
  };
  [[nodiscard]] SeriesPoint carried_anew(SeriesPoint point) const;
  [[nodiscard]] std::optional<Taken> newton_step(const SeriesPoint& point, double merit) const;
  [[nodiscard]] std::optional<Taken> complete_step(const SeriesPoint& point) const;
  [[nodiscard]] Move move(const Eigen::MatrixXd& matrix, const SeriesPoint& from,
                          double floor) const;
  [[nodiscard]] std::optional<SeriesPoint> evaluate(const SeriesPoint& from,
                                                    const Eigen::VectorXd& change) const;

  const Model& model_;
  const std::vector<std::size_t>& active_;
  const TransitionPaths& paths_;
  const Equation& equation_;
  Legs sample_;
};

// Covariances of the estimate in the coordinates of bounds.hpp: of the data's own scatter, by the
// model, and the part of the paths.
struct SeriesCovariance {
  Eigen::MatrixXd data;
  Eigen::MatrixXd model;
  Eigen::MatrixXd paths;
};
[[nodiscard]] SeriesCovariance covariance_of(const EquationValue& value);

}  // namespace divker::fit
