// What can be asked, in the words of a user: one struct for each question, each option told once.
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

template <class Visitor>
void describe(RunRequest& r, Visitor& visit) {
  visit(Option("paths", r.paths_are, "N").by_default(std::to_string(r.usual_paths)), r.paths);
  visit(Option("seed", "Seed of the random numbers", "N").shown(), r.seed);
  visit(Option("threads", "Threads of each process; 0: all cores. Results do not depend on it", "N")
            .shown(),
        r.threads);
  visit(Option("block", "Paths advanced together; 0: chosen. Results do not depend on it", "N")
            .shown(),
        r.block);
  visit(Option("resolution", "Random numbers: fast (32 bits) or full (52 bits)")
            .shown()
            .one_of({"fast", "full"}),
        r.resolution);
  visit(Option("failed_share", "Share of failed paths that is tolerated", "X")
            .shown()
            .within(0.0, 1.0),
        r.failed_share);
  visit(Option("scheme", "Step of an SDE: euler (default), or exact for its Euler chain, at any dt")
            .one_of({"euler", "exact"}),
        r.scheme);
}

// Of questions that rest on one run: it is saved now and then.
struct SavedRequest {
  std::string checkpoint;
  double checkpoint_every = Checkpoint{}.seconds;
  std::string what_is_saved = "Save the run to FILE now and then, and go on from it if it is there";
};

template <class Visitor>
void describe(SavedRequest& r, Visitor& visit) {
  visit(Option("checkpoint", r.what_is_saved, "FILE"), r.checkpoint);
  visit(Option("checkpoint_every", "Seconds between two saves", "SECONDS")
            .shown()
            .at_least(0.0)
            .only_with("checkpoint"),
        r.checkpoint_every);
}

struct SimulateRequest : RunRequest, SavedRequest {
  std::vector<double> times;
};

template <class Visitor>
void describe(SimulateRequest& r, Visitor& visit) {
  describe(static_cast<RunRequest&>(r), visit);
  describe(static_cast<SavedRequest&>(r), visit);
  visit(Option("times", "Snapshot times, ascending (default: the end)", "T1,T2,..."), r.times);
}

// Everything that a damping can be.
[[nodiscard]] std::string damping_usage();

// Of runs that carry covectors.
struct DampedRequest : RunRequest {
  std::string alpha = "auto";
  std::optional<int> order;
};

template <class Visitor>
void describe(DampedRequest& r, Visitor& visit) {
  describe(static_cast<RunRequest&>(r), visit);
  visit(Option("alpha", "Damping: " + damping_usage()).shown(), r.alpha);
  visit(Option("order", "Order in the inverse of the step: 1, or 2 for less bias")
            .by_default("1")
            .one_of({"1", "2"}),
        r.order);
}

// Of conditional expectations.
struct RegressorRequest {
  std::string regressor;
  RegressorOptions regressor_options;
  std::vector<std::string> regressors;  // that can be asked for
  std::string regressor_is = "Conditional expectation: default by dimension and size";
};

template <class Visitor>
void describe(RegressorRequest& r, Visitor& visit) {
  RegressorOptions& options = r.regressor_options;
  visit(Option("regressor", r.regressor_is).one_of(r.regressors), r.regressor);
  visit(Option("neighbours", "Neighbours; 0: chosen", "N"), options.neighbours);
  visit(Option("bins", "Bins; 0: chosen", "N"), options.bins);
  visit(Option("bandwidth", "Kernel bandwidth in standard deviations; 0: chosen", "X"),
        options.bandwidth);
  visit(Option("degree", "Degree of the polynomial").one_of({"1", "2"}), options.degree);
}

// Of answers at points, or beside them.
struct PointRequest : DampedRequest, RegressorRequest {
  GivenPoints at;
  std::size_t grid = 9;
  std::optional<double> time;

  PointRequest();  // every regressor can be asked for
};

template <class Visitor>
void describe(PointRequest& r, Visitor& visit) {
  describe(static_cast<DampedRequest&>(r), visit);
  visit(Option("at", "Points: a table whose columns are the states", "FILE"), r.at);
  visit(Option("grid", "Number of points of the default grid (1-D models)", "N")
            .shown()
            .within(1, 1'000'000),
        r.grid);
  visit(Option("time", "Time of the density (default: the end of the time grid)", "T"), r.time);
  describe(static_cast<RegressorRequest&>(r), visit);
}

struct ScoreRequest : PointRequest, SavedRequest {
  bool richardson = false;
  bool ignore_time_step = false;
  bool fokker_planck = false;
  bool stationary = false;
  std::optional<double> window;
  std::optional<double> spinup;
  std::optional<double> length;
};

template <class Visitor>
void describe(ScoreRequest& r, Visitor& visit) {
  describe(static_cast<PointRequest&>(r), visit);
  visit(Option("richardson", "Take the bias of dt off the answer, not into its error bar"),
        r.richardson);
  visit(Option("ignore_time_step", "Leave the bias of dt out of the error bar: that of the chain")
            .not_with({"richardson"}),
        r.ignore_time_step);
  visit(
      Option("fokker_planck", "Compare with a solution of the Fokker-Planck equation (1-D models)"),
      r.fokker_planck);
  describe(static_cast<SavedRequest&>(r), visit);
  visit(Option("stationary",
               "Of the stationary density, from long paths (defaults: --paths 4096 --order 2)")
            .not_with({"time", "fokker_planck"}),
        r.stationary);
  visit(Option("window", "Time over which responses are accumulated (default: chosen)", "T")
            .only_with("stationary"),
        r.window);
  visit(Option("spinup", "Time before paths are at the stationary density (default: chosen)", "T")
            .only_with("stationary"),
        r.spinup);
  visit(Option("length", "Time for which paths are followed after it (default: chosen)", "T")
            .only_with("stationary"),
        r.length);
}

// Of what, with respect to which parameters.
struct SubjectRequest {
  std::vector<std::string> wrt;  // none: all that are not fixed
  std::string observable;
  std::string observable_is = "An expression of states, parameters and t, such as \"x^2\"";
};

template <class Visitor>
void describe(SubjectRequest& r, Visitor& visit) {
  visit(Option("wrt", "Parameters (default: all that are not fixed)", "A,B,..."), r.wrt);
  visit(Option("observable", r.observable_is, "EXPR"), r.observable);
}

struct ResponseRequest : ScoreRequest, SubjectRequest {
  std::string method;
  std::optional<double> fd_step;
  std::optional<Values> to;
  std::optional<std::size_t> nodes;
};

template <class Visitor>
void describe(ResponseRequest& r, Visitor& visit) {
  describe(static_cast<ScoreRequest&>(r), visit);
  describe(static_cast<SubjectRequest&>(r), visit);
  visit(Option("method", "Method (default: " + estimator_names().front() + ")")
            .one_of(estimator_names())
            .not_with({"stationary"}),
        r.method);
  visit(
      Option("fd_step", "Step of the finite difference, for every parameter (default: chosen)", "H")
          .above_zero()
          .only_with("method"),
      r.fd_step);
  visit(Option("to",
               "Change of the log density, or of the observable's mean, when parameters take "
               "these values (repeatable)",
               "NAME=VALUE")
            .not_with({"stationary", "method", "wrt", "fokker_planck"}),
        r.to);
  visit(
      Option("nodes",
             "Nodes of the quadrature along the way to --to, a run at each (default: chosen)", "N")
          .within(2, 64)
          .only_with("to"),
      r.nodes);
}

struct DiagnoseRequest : PointRequest, SubjectRequest {
  DiagnoseRequest();
};

template <class Visitor>
void describe(DiagnoseRequest& r, Visitor& visit) {
  describe(static_cast<PointRequest&>(r), visit);
  describe(static_cast<SubjectRequest&>(r), visit);
}

// Without the tables of data, which the command reads from files and Python has in arrays.
struct FitRequest : DampedRequest, RegressorRequest, SavedRequest {
  DataOptions columns;
  FitOptions options;  // what concerns the iterations alone

  FitRequest();
};

template <class Visitor>
void describe(FitRequest& r, Visitor& visit) {
  describe(static_cast<DampedRequest&>(r), visit);
  visit(Option("time", "The column with the time of each row", "COLUMN"), r.columns.time_column);
  visit(Option("map", "The column that holds a state or observation (repeatable)", "NAME=COLUMN"),
        r.columns.names);
  visit(Option("group",
               "The column that numbers individuals measured several times, for the standard "
               "errors",
               "COLUMN"),
        r.columns.group_column);
  visit(Option("match", "The matching equation").shown().one_of(matcher_names()), r.options.match);
  visit(Option("optimizer", "The optimizer").shown().one_of(optimizer_names()),
        r.options.optimizer);
  visit(Option("iterations", "Iterations at most; the last have all paths", "N").shown(),
        r.options.iterations);
  visit(Option("starts",
               "Starts: the model's values, and others at random; the nearest to the data is "
               "taken",
               "N")
            .shown(),
        r.options.starts);
  visit(Option("tolerance", "Converged where |psi| is this share of its noise", "X").shown(),
        r.options.tolerance);
  visit(Option("rate", "Step size of adam (0.05) and gd (0.2)", "X"), r.options.rate);
  visit(Option("window",
               "Stationary data: time before the end over which responses are accumulated", "W"),
        r.options.window);
  describe(static_cast<RegressorRequest&>(r), visit);
  describe(static_cast<SavedRequest&>(r), visit);
}

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
[[nodiscard]] TimeStep time_step_of(const ScoreRequest& request);
[[nodiscard]] FitOptions fit_options_of(const FitRequest& request, const Session& circumstances);

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

}  // namespace divker::present
