// One answer with all that is said about it, and the functions that make it of a request.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "divker/density_change.hpp"
#include "divker/diagnose.hpp"
#include "divker/exact_density.hpp"
#include "divker/stationary.hpp"
#include "divker/study.hpp"
#include "present/request.hpp"

namespace divker::present {

// Scores, or responses of the density, at points.
struct AtPoints {
  std::string key;  // "score" or "response"
  PointAnswer answer;
  std::optional<ExactDensity> exact;  // what the Fokker-Planck equation says
};
// The response of the mean of an observable.
struct OfMean {
  std::string observable;
  ObservableAnswer answer;
};
// A change of the density at points, or of the mean of an observable.
struct OfChange {
  std::string observable;  // empty: at points
  Matrix points;
  Values target;  // what was given, by name
  ChangeAnswer answer;
};
// Checks of a model.
struct OfModel {
  std::vector<std::string> parameters;
  Diagnosis diagnosis;
};

// How the stationary density was sampled, and how far its windows are from infinite ones.
struct StationaryPart {
  Stationary how;
  std::optional<Matrix> window_error;  // points, or one row, x parameters; none for a score
};

struct Reply {
  Model model;  // as it ran: stationary answers have a time grid of their own
  RunRecord record;
  std::variant<MomentsAnswer, AtPoints, OfMean, OfChange, OfModel> answer;
  std::optional<StationaryPart> stationary = std::nullopt;
};

// The paths of a simulation, compiled.
[[nodiscard]] Study study_of(const SimulateRequest& request, const Model& model,
                             const Session& session);

// Each derives, compiles, runs and estimates. The session brings the stop flag and the progress;
// threads, blocks and the checkpoint are the request's. Error(usage) for a request that contradicts
// itself, and the errors of the library's functions.
[[nodiscard]] Reply reply_to(const SimulateRequest& request, const Model& model,
                             const Session& session);
[[nodiscard]] Reply reply_to(const ScoreRequest& request, const Model& model,
                             const Session& session);
[[nodiscard]] Reply reply_to(const ResponseRequest& request, const Model& model,
                             const Session& session);
[[nodiscard]] Reply reply_to(const DiagnoseRequest& request, const Model& model,
                             const Session& session);

}  // namespace divker::present
