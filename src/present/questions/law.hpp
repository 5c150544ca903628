// What is asked of the law of a model: its score and its response, at a time or stationary.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "divker/stationary.hpp"
#include "present/reply.hpp"
#include "present/request.hpp"

namespace divker::present {

struct LawRequest : PointRequest, SavedRequest, TimeStepRequest {
  bool fokker_planck = false;
  bool stationary = false;
  std::optional<double> window;
  std::optional<double> spinup;
  std::optional<double> length;
};

void describe(LawRequest& r, OptionVisitor& visit);

// Error(usage) for a comparison that cannot be made.
void check_fokker_planck(const LawRequest& request, const Model& model);

[[nodiscard]] AnswerOptions options_of_law(const LawRequest& request, const Session& session);
[[nodiscard]] StationaryOptions stationary_options(const LawRequest& request,
                                                   const Session& session);
// The points that are given, or a grid.
[[nodiscard]] Matrix points_of(const LawRequest& request, const Model& model,
                               const AnswerOptions& options);

// An answer at points, with the solution of the Fokker-Planck equation if that was asked for; `key`
// is "score" or "response"; `how` tells how a stationary sample was taken, nothing for others. Its
// table: the states, then score.x, stderr.x, time_step.x or response.a, ... of each, outside.
[[nodiscard]] Reply at_points(const LawRequest& request, const Model& model, const std::string& key,
                              const std::vector<std::size_t>& parameters, const PointAnswer& answer,
                              const Stationary* how = nullptr);

// What a method that needs more than one run says of its errors.
void tell_errors_of_method(Fields& o, const Effort& effort);
// How the answer was made, by this method and from this sample, with a warning for each window that
// is no plateau.
void tell_how_made(Reply& reply, const std::vector<std::string>& names, const Stationary* how);

}  // namespace divker::present
