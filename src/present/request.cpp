#include "present/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/table.hpp"
#include "present/checkpoint_file.hpp"

namespace divker::present {

std::string damping_usage() {
  std::string usage = "auto";
  for (const DampingForm* form : damping_forms()) usage += ", " + form->usage();
  return usage;
}

PointRequest::PointRequest() {
  regressors = regressor_names();
  regressors.emplace_back(local_sums_regressor);
}

void describe(RunRequest& r, OptionVisitor& visit) {
  r.voice = visit.voice();
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

void describe(SavedRequest& r, OptionVisitor& visit) {
  visit(Option("checkpoint", r.what_is_saved, "FILE"), r.checkpoint);
  visit(Option("checkpoint_every", "Seconds between two saves", "SECONDS")
            .shown()
            .at_least(0.0)
            .only_with("checkpoint"),
        r.checkpoint_every);
}

void describe(DampedRequest& r, OptionVisitor& visit) {
  describe(static_cast<RunRequest&>(r), visit);
  visit(Option("alpha", "Damping: " + damping_usage()).shown(), r.alpha);
  visit(Option("order", "Order in the inverse of the step: 1, or 2 for less bias")
            .by_default("1")
            .one_of({"1", "2"}),
        r.order);
}

void describe(RegressorRequest& r, OptionVisitor& visit) {
  RegressorOptions& options = r.regressor_options;
  visit(Option("regressor", r.regressor_is).one_of(r.regressors), r.regressor);
  visit(Option("neighbours", "Neighbours; 0: chosen", "N"), options.neighbours);
  visit(Option("bins", "Bins; 0: chosen", "N"), options.bins);
  visit(Option("bandwidth", "Kernel bandwidth in standard deviations; 0: chosen", "X"),
        options.bandwidth);
  visit(Option("degree", "Degree of the polynomial").one_of({"1", "2"}), options.degree);
}

void describe(PointRequest& r, OptionVisitor& visit) {
  describe(static_cast<DampedRequest&>(r), visit);
  visit(Option("at", "Points: a table whose columns are the states", "FILE"), r.at);
  visit(Option("grid", "Number of points of the default grid (1-D models)", "N")
            .shown()
            .within(1, 1'000'000),
        r.grid);
  visit(Option("time", "Time of the density (default: the end of the time grid)", "T"), r.time);
  describe(static_cast<RegressorRequest&>(r), visit);
}

void describe(TimeStepRequest& r, OptionVisitor& visit) {
  visit(Option("richardson", "Take the bias of dt off the answer, not into its error bar"),
        r.richardson);
  visit(Option("ignore_time_step", "Leave the bias of dt out of the error bar: that of the chain")
            .not_with({"richardson"}),
        r.ignore_time_step);
}

void describe(SubjectRequest& r, OptionVisitor& visit) {
  visit(Option("wrt", "Parameters (default: all that are not fixed)", "A,B,..."), r.wrt);
  visit(Option("observable", r.observable_is, "EXPR"), r.observable);
}

Method method_of(const DampedRequest& request) {
  Method method;
  method.scheme = parse_scheme(request.scheme);
  method.damping = parse_damping(request.alpha);
  if (request.order) {
    method.order = *request.order == 2 ? InverseOrder::second : InverseOrder::first;
  }
  return method;
}

Sampling sampling_of(const RunRequest& request) {
  Sampling sampling;
  sampling.paths = request.paths.value_or(request.usual_paths);
  sampling.seed = request.seed;
  sampling.resolution = request.resolution == "full" ? Resolution::full : Resolution::fast;
  sampling.failed_share = request.failed_share;
  return sampling;
}

Session session_of(const RunRequest& request, Session circumstances) {
  circumstances.threads = request.threads;
  circumstances.block = request.block;
  return circumstances;
}

Session saved_session_of(const RunRequest& request, const SavedRequest& saved,
                         Session circumstances) {
  Session session = session_of(request, std::move(circumstances));
  if (!saved.checkpoint.empty()) {
    session.checkpoint = checkpoint_in(saved.checkpoint, saved.checkpoint_every);
  }
  return session;
}

TimeStep time_step_of(const TimeStepRequest& request) {
  if (request.richardson) return TimeStep::extrapolated;
  return request.ignore_time_step ? TimeStep::ignored : TimeStep::in_bar;
}

AnswerOptions options_of(const PointRequest& request, Session session) {
  AnswerOptions options;
  options.method = method_of(request);
  options.sampling = sampling_of(request);
  if (request.time) options.sampling.snapshots = {*request.time};
  options.session = std::move(session);
  options.regressor = request.regressor;
  options.regressor_options = request.regressor_options;
  return options;
}

std::vector<std::size_t> parameters_of(const std::vector<std::string>& wrt, const Model& model,
                                       Voice voice) {
  if (wrt.empty()) return model.free_parameters();
  std::vector<std::size_t> indices;
  for (const std::string& name : wrt) {
    for (const std::size_t index : model.parameter_indices(name)) {
      if (std::ranges::find(indices, index) != indices.end()) {
        throw Error(ErrorKind::usage,
                    fmt::format("{} names the parameter {} twice.", spelled(voice, "wrt"),
                                model.parameters()[index].name));
      }
      indices.push_back(index);
    }
  }
  return indices;
}

void check_observable(const std::string& observable, const Model& model, Voice voice) {
  if (observable.empty()) return;
  Graph graph(*model.graph());
  try {
    (void)parse_expression(observable, model, graph);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: {}", spelled(voice, "observable"), error.what()));
  }
}

GivenPoints points_read(const GivenPoints& at, const Model& model, std::vector<Warning>& warnings) {
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  return points_read(at, names, warnings);
}

GivenPoints points_read(const GivenPoints& at, const std::vector<std::string>& names,
                        std::vector<Warning>& warnings) {
  if (at.file.empty()) return at;
  const Table table = read_table(at.file);
  for (const std::string& remark : table.remarks) warnings.push_back({"file", remark});
  return {"", select_columns(table, names, at.file)};
}

Matrix given_points(const PointRequest& request) { return request.at.rows.value_or(Matrix()); }

}  // namespace divker::present
