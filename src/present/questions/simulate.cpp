#include "present/questions/simulate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

#include "divker/error.hpp"
#include "divker/plan.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

// A simulation has neither covectors nor a damping.
Method method_of_states(const SimulateRequest& request) {
  Method method;
  method.scheme = parse_scheme(request.scheme);
  return method;
}

Sampling simulated(const SimulateRequest& request) {
  Sampling sampling = sampling_of(request);
  sampling.snapshots = request.times;
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
  visit(Option("times", "Snapshot times, ascending (default: the end)", "T1,T2,..."), r.times);
}

Study study_of(const SimulateRequest& request, const Model& model, const Session& session) {
  return {model, method_of_states(request), states_and_functionals(model), simulated(request),
          saved_session_of(request, request, session)};
}

Reply reply_to(const SimulateRequest& request, const Model& model, const Session& session) {
  const Method method = method_of_states(request);
  if (const auto why = refusal(model, method, Asked::states())) throw Error(*why);
  const MomentsAnswer answer =
      simulate_moments(model, simulated(request), saved_session_of(request, request, session));
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
