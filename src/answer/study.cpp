#include "divker/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "answer/kinks_met.hpp"
#include "divker/estimator.hpp"

namespace divker {
namespace {

bool is_open(const Method& method) {
  return method.damping.form == nullptr && method.scheme == Scheme::automatic &&
         method.order == InverseOrder::automatic;
}

// A method that is right at the kinks that paths meet: the one asked for, or, where that is left
// open, steps of noise alone, which is recorded. Throws the refusal of the one asked for where
// there is none.
Method right_at_kinks(const Model& model, const Method& method, const Asked& asked,
                      const Sampling& sampling, const Session& session,
                      std::vector<Warning>& warnings) {
  if (asked.states_alone()) return method;
  const std::vector<ModelKink> met = kinks_met(model, sampling, session);
  const auto why = refusal_for_kinks(model, method, asked, met);
  if (!why) return method;
  Method instead = method;
  instead.scheme = Scheme::exact;
  instead.damping = kernel_damping();
  if (!is_open(method) || refusal_for_kinks(model, instead, asked, met) ||
      refusal(model, instead, asked)) {
    throw Error(*why);
  }
  const auto first = std::ranges::find_if(met, &ModelKink::by_states);
  warnings.push_back(
      {"kinks", fmt::format("{} Exact steps with the damping '{}' were taken, which need no such "
                            "derivative and have more variance.",
                            first->sentence(), instead.damping.text())});
  return instead;
}

RunRecord chosen(const Model& model, const Method& method, const Asked& asked,
                 const Sampling& sampling, const Session& session, const Tuning& tuning) {
  RunRecord record;
  record.method = right_at_kinks(model, method, asked, sampling, session, record.warnings);
  if (asked.states_alone()) return record;
  record.method.estimator = estimator(method.estimator).name();
  record.choice = choose_damping(model, record.method, asked, sampling, session.aside(), tuning);
  record.method.damping = record.choice.damping;
  record.alpha = record.choice.damping.text();
  return record;
}

}  // namespace

Study::Study(const Model& model, const Method& method, const Asked& asked, const Sampling& sampling,
             const Session& session, const Tuning& tuning)
    : sampling_(sampling),
      session_(session),
      record_(chosen(model, method, asked, sampling, session, tuning)),
      ensemble_(model, record_.method, asked, session.marcher) {
  const std::string name = record_.method.estimator;
  record_.method = plan().method;
  record_.method.estimator = name;
  record_.steps = plan().text();
  record_.sampling = sampling;
  record_.compile_seconds = record_.choice.compile_seconds + ensemble_.compile_seconds();
}

const RunSummary& Study::run(Collector& collector, const std::string& kept) {
  return finished(ensemble_.run(sampling_, collector, session_.keeping(kept)));
}

Paths Study::run() {
  Paths paths = ensemble_.run(sampling_, session_);
  finished(paths.summary);
  return paths;
}

Paths Study::run_aside(const Sampling& sampling) const {
  return ensemble_.run(sampling, session_.aside());
}

const RunSummary& Study::finished(const RunSummary& summary) {
  record_.sampling = sampling_;
  record_.summary = summary;
  record_.effort.path_runs += summary.requested;
  return record_.summary;
}

}  // namespace divker
