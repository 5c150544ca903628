// Paths of the states, or of what is measured of them. It is no line of questions(): its command
// and its function in Python keep rows of paths too.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "divker/prediction.hpp"
#include "divker/study.hpp"
#include "present/reply.hpp"
#include "present/request.hpp"

namespace divker::present {

struct SimulateRequest : RunRequest, SavedRequest {
  std::vector<double> times;
  bool observed = false;
  bool with_fit_errors = false;
  std::vector<double> bands;
  GivenTables data;
  DataOptions columns;
  bool for_picture = false;  // which shows bands at many times
};

void describe(SimulateRequest& r, OptionVisitor& visit);

// What is simulated of a model, and what is kept of a path.
class Simulated {
 public:
  // Error(usage) for errors of a fit where the model tells none.
  Simulated(const SimulateRequest& request, const Model& model);

  [[nodiscard]] const Sampling& sampling() const { return sampling_; }
  [[nodiscard]] Study study(const SimulateRequest& request, const Session& session) const;
  // Of the columns: states and functionals of the path, or observations.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // paths x names.
  [[nodiscard]] Matrix rows(const PathGroup& group, std::size_t snapshot) const;
  // What a saved run keeps, in words.
  [[nodiscard]] std::string kept() const;

 private:
  Model model_;  // as it runs
  Sampling sampling_;
  std::size_t states_ = 0;
  std::optional<Measurement> measurement_;
  std::vector<std::string> names_;
};

// Means and deviations at the snapshot times, and quantiles where bands are asked for. Its table:
// t, then mean.x, stderr.x, deviation.x of each column, and q0.05.x and so on.
[[nodiscard]] Reply reply_to(const SimulateRequest& request, const Model& model,
                             const Session& session);

}  // namespace divker::present
