#include "divker/study.hpp"

#include <utility>

#include "divker/estimator.hpp"

namespace divker {
namespace {

RunRecord chosen(const Model& model, const Method& method, const Asked& asked,
                 const Sampling& sampling, const Session& session, const Tuning& tuning) {
  RunRecord record;
  record.method = method;
  if (asked.states_alone()) return record;
  record.method.estimator = estimator(method.estimator).name();
  record.choice = choose_damping(model, method, asked, sampling, session.aside(), tuning);
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
