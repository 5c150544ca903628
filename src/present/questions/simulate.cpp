#include "present/questions/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "divker/error.hpp"
#include "divker/plan.hpp"
#include "present/questions/bands.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

// A simulation has neither covectors nor a damping.
Method method_of_states(const SimulateRequest& request) {
  Method method;
  method.scheme = parse_scheme(request.scheme);
  return method;
}

Sampling sampling_of_simulation(const SimulateRequest& request) {
  Sampling sampling = sampling_of(request);
  sampling.snapshots = request.times;
  // Row j of the start is that of path j, with its parameters.
  if (request.with_fit_errors) sampling.start_rows = StartRows::by_path;
  return sampling;
}

// What there are means of: the probability of a passage so far, in place of its time.
std::vector<std::string> names_of_means(const Model& model) {
  std::vector<std::string> names = names_of_states(model);
  for (const PathFunctional& one : model.functionals()) {
    names.push_back(is_passage(one) ? "P(" + one.name + " <= t)" : one.name);
  }
  return names;
}

// Means of the states, their standard errors, and deviations.
struct MomentColumns {
  std::vector<double> mean, error, deviation;

  explicit MomentColumns(const StateMoments& snapshot) {
    for (std::size_t i = 0; i < snapshot.x.size(); ++i) {
      mean.push_back(snapshot.x.estimate(i).value);
      error.push_back(snapshot.x.estimate(i).standard_error);
      deviation.push_back(std::sqrt(snapshot.x.variance(i)));
    }
  }
};

Fields fields_of_moments(const MomentsAnswer& answer) {
  Fields all;
  all.list("snapshots", answer.snapshots, [](Fields& one, const StateMoments& snapshot) {
    MomentColumns columns(snapshot);
    one.set("t", snapshot.time);
    one.set("mean", std::move(columns.mean));
    one.set("stderr", std::move(columns.error));
    one.set("deviation", std::move(columns.deviation));
  });
  return all;
}

Table table_of_moments(const Model& model, const MomentsAnswer& answer) {
  Table table{{"t"}, {}};
  for (const std::string& name : names_of_means(model)) {
    for (const char* what : {"mean.", "stderr.", "deviation."}) {
      table.columns.push_back(what + name);
    }
  }
  for (const StateMoments& snapshot : answer.snapshots) {
    const MomentColumns columns(snapshot);
    std::vector<double> row{snapshot.time};
    for (std::size_t i = 0; i < columns.mean.size(); ++i) {
      row.insert(row.end(), {columns.mean[i], columns.error[i], columns.deviation[i]});
    }
    append_row(table.values, row);
  }
  return table;
}

std::string text_of_moments(const Model& model, const MomentsAnswer& answer) {
  std::string text;
  const std::vector<std::string> names = names_of_means(model);
  for (const StateMoments& snapshot : answer.snapshots) {
    const MomentColumns columns(snapshot);
    text += fmt::format("t = {:.6g}\n{:>12} {:>14} {:>12} {:>14}\n", snapshot.time, "state", "mean",
                        "+-", "deviation");
    for (std::size_t i = 0; i < columns.mean.size(); ++i) {
      text += fmt::format("{:>12} {:>14.6g} {:>12.2g} {:>14.6g}\n", names[i], columns.mean[i],
                          columns.error[i], columns.deviation[i]);
    }
  }
  return text;
}

}  // namespace

void describe(SimulateRequest& r, OptionVisitor& visit) {
  describe(static_cast<RunRequest&>(r), visit);
  describe(static_cast<SavedRequest&>(r), visit);
  visit(Option("times", "Snapshot times of the same paths, ascending (default: the end)",
               "T1,T2,..."),
        r.times);
  visit(Option("observed",
               "What is measured, by the observe statements of the model with their noise, instead "
               "of the states"),
        r.observed);
  visit(Option("with_fit_errors",
               "Each path has parameters of its own, drawn from the errors that the fitted model "
               "tells"),
        r.with_fit_errors);
  visit(Option("bands", "Quantiles over the paths of these levels, ascending", "P1,P2,..."),
        r.bands);
  visit(Option("data", "Measurements to hold against the bands: a table (repeatable)", "FILE"),
        r.data);
  visit(Option("time", "The column with the time of each row of the data", "COLUMN")
            .only_with("data"),
        r.columns.time_column);
  visit(
      Option("map", "The column of the data that holds an observation (repeatable)", "NAME=COLUMN")
          .only_with("data"),
      r.columns.names);
}

Simulated::Simulated(const SimulateRequest& request, const Model& model)
    : model_(model), sampling_(sampling_of_simulation(request)), states_(model.dimension()) {
  if (request.with_fit_errors) {
    model_ = with_drawn_parameters(model, sampling_.paths, sampling_.seed);
  }
  if (request.observed) {
    // A model without observations is measured in its states, not in its parameters.
    const bool has_own = !model.observations().empty();
    measurement_.emplace(has_own ? model_ : model, sampling_.seed);
    names_ = measurement_->names();
  } else {
    names_ = names_along_paths(model);
  }
}

Study Simulated::study(const SimulateRequest& request, const Session& session) const {
  return {model_, method_of_states(request), states_and_functionals(model_), sampling_,
          saved_session_of(request, request, session)};
}

std::string Simulated::kept() const {
  return measurement_ ? "rows of measurements" : "rows of states";
}

Matrix Simulated::rows(const PathGroup& group, std::size_t snapshot) const {
  const Snapshot& seen = group.snapshots.at(snapshot);
  if (measurement_) return measurement_->of(group, snapshot);
  Matrix all = seen.x_and_functionals();
  const std::size_t drawn = seen.x().cols - states_;
  if (drawn == 0) return all;
  Matrix kept(all.rows, all.cols - drawn);
  for (std::size_t r = 0; r < all.rows; ++r) {
    const auto row = std::as_const(all).row(r);
    const auto end = std::copy_n(row.begin(), states_, kept.row(r).begin());
    std::copy(row.begin() + static_cast<std::ptrdiff_t>(states_ + drawn), row.end(), end);
  }
  return kept;
}

Reply reply_to(const SimulateRequest& request, const Model& model, const Session& session) {
  const Method method = method_of_states(request);
  if (const auto why = refusal(model, method, Asked::states())) throw Error(*why);
  const bool is_plain = !request.observed && !request.with_fit_errors && request.bands.empty() &&
                        !request.for_picture && request.data.files.empty() &&
                        request.data.tables.empty();
  if (!is_plain) return bands_of(request, model, session);
  const MomentsAnswer answer = simulate_moments(model, sampling_of_simulation(request),
                                                saved_session_of(request, request, session));
  Reply reply{model,
              answer.record,
              fields_of_moments(answer),
              {},
              table_of_moments(model, answer),
              text_of_moments(model, answer)};
  // The states of both schemes are the same.
  reply.record.method = resolved(model, method, Asked::states());
  fields::method(reply.how_made, reply.record);
  return reply;
}

}  // namespace divker::present
