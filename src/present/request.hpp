// What the requests of several questions have in common, in the words of a user: each option told
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/estimator.hpp"
#include "divker/fit.hpp"
#include "divker/regressor.hpp"
#include "divker/series.hpp"
#include "present/option.hpp"

namespace divker::present {

// Of every run of paths.
struct RunRequest {
  Voice voice = Voice::python;
  std::optional<std::size_t> paths;
  std::size_t usual_paths = 100'000;  // where no number is given
  std::string paths_are = "Number of paths";
  std::uint64_t seed = 1;
  unsigned threads = 0;
  std::size_t block = 0;
  std::string resolution = "fast";
  double failed_share = 1e-3;
  std::string scheme;
};

void describe(RunRequest& r, OptionVisitor& visit);

// Of questions that rest on one run: it is saved now and then.
struct SavedRequest {
  std::string checkpoint;
  double checkpoint_every = Checkpoint{}.seconds;
  std::string what_is_saved = "Save the run to FILE now and then, and go on from it if it is there";
};

void describe(SavedRequest& r, OptionVisitor& visit);

// Everything that a damping can be.
[[nodiscard]] std::string damping_usage();

// Of runs that carry covectors.
struct DampedRequest : RunRequest {
  std::string alpha = "auto";
  std::optional<int> order;
};

void describe(DampedRequest& r, OptionVisitor& visit);

// Of conditional expectations.
struct RegressorRequest {
  std::string regressor;
  RegressorOptions regressor_options;
  std::vector<std::string> regressors;  // that can be asked for
  std::string regressor_is = "Conditional expectation: default by dimension and size";
};

void describe(RegressorRequest& r, OptionVisitor& visit);

// Of answers at points, or beside them.
struct PointRequest : DampedRequest, RegressorRequest {
  GivenPoints at;
  std::size_t grid = 9;
  std::optional<double> time;

  PointRequest();  // every regressor can be asked for
};

void describe(PointRequest& r, OptionVisitor& visit);

// What is done about the bias of dt.
struct TimeStepRequest {
  bool richardson = false;
  bool ignore_time_step = false;
};

void describe(TimeStepRequest& r, OptionVisitor& visit);

// Of what, with respect to which parameters.
struct SubjectRequest {
  std::vector<std::string> wrt;  // none: all that are not fixed
  std::string observable;
  std::string observable_is = "An expression of states, parameters and t, such as \"x^2\"";
};

void describe(SubjectRequest& r, OptionVisitor& visit);

// --- what the library is told -------------------------------------------------------------------

// Error(usage) for a damping that is none.
[[nodiscard]] Method method_of(const DampedRequest& request);
[[nodiscard]] Sampling sampling_of(const RunRequest& request);
// With the circumstances of the caller: its stop flag, its progress.
[[nodiscard]] Session session_of(const RunRequest& request, Session circumstances);
// And saved to the file that was asked for. Error(usage) if it cannot be written.
[[nodiscard]] Session saved_session_of(const RunRequest& request, const SavedRequest& saved,
                                       Session circumstances);
[[nodiscard]] AnswerOptions options_of(const PointRequest& request, Session session);
[[nodiscard]] TimeStep time_step_of(const TimeStepRequest& request);

// Those that were named; all that are not fixed where none is. Error(usage) for an unknown name,
// or one named twice.
[[nodiscard]] std::vector<std::size_t> parameters_of(const std::vector<std::string>& wrt,
                                                     const Model& model, Voice voice);
// The observable is an argument: what is wrong with it is Error(usage).
void check_observable(const std::string& observable, const Model& model, Voice voice);
// The points as rows, columns in the order of the states: those of a file are read, and what its
// reader remarks is added to `warnings`.
[[nodiscard]] GivenPoints points_read(const GivenPoints& at, const Model& model,
                                      std::vector<Warning>& warnings);
// The same for points of some states, columns in the order of their names.
[[nodiscard]] GivenPoints points_read(const GivenPoints& at, const std::vector<std::string>& names,
                                      std::vector<Warning>& warnings);

// Those that are rows; empty where none are given.
[[nodiscard]] Matrix given_points(const PointRequest& request);

}  // namespace divker::present
