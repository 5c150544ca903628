#include "divker/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "answer/places_met.hpp"
#include "answer/vital_signs.hpp"
#include "divker/estimator.hpp"

namespace divker {
namespace {

struct Question {
  Method method;
  Asked asked;
};

// Steps that know of the state only what the noise tells.
Question by_noise_alone(Question question) {
  if (!question.asked.score) return question;
  question.method.scheme = Scheme::exact;
  question.method.damping = kernel_damping();
  return question;
}

Question beyond_boundaries(Question question, const BoundariesMet& met,
                           std::vector<Warning>& warnings) {
  question.asked.beyond_boundaries = true;
  warnings.push_back({"boundary", fmt::format("{} They step on there: roots are taken of zero, "
                                              "and values beyond it occur.",
                                              met.sentence())});
  return question;
}

std::string harm(const std::vector<ModelKink>& kinks) {
  return std::ranges::find_if(kinks, &ModelKink::by_states)->sentence();
}

// The equations of a fit hold whatever the responses miss. A kink that few states lie beyond
// changes the standard errors by about as much, and is no reason for the variance of noise alone.
void leave_out_rare(KinksMet& met, std::vector<Warning>& warnings) {
  constexpr double rare = 0.2;
  const auto first = met.without_rare(rare);
  if (!first) return;
  warnings.push_back({"kinks", fmt::format("{} Less than {:.0f}% of the states lie beyond: the "
                                           "equations of the fit hold, and its standard errors "
                                           "may be off by about as much.",
                                           first->sentence(), 100.0 * rare)});
}

// The question at the kinks and boundaries that paths meet: as it was asked, or, where the method
// is left open, by noise alone, which is recorded. Throws the refusal where neither is right.
// The model's states are stepped in their roots from then on where that keeps them inside.
Question right_at_places(Model& model, const Question& question, const Sampling& sampling,
                         const Session& session, bool parameters_move,
                         std::vector<Warning>& warnings) {
  const BoundariesMet boundaries = boundaries_met(model, sampling, session);
  if (boundaries.in_roots) model = model.stepped_in_roots();
  if (question.asked.states_alone()) {
    if (boundaries.boundaries.empty()) return question;
    return beyond_boundaries(question, boundaries, warnings);
  }
  KinksMet met = kinks_met(model, sampling, session);
  if (parameters_move) leave_out_rare(met, warnings);
  const std::vector<ModelKink>& kinks = met.kinks;
  const auto why_not_inside = refusal_for_boundaries(boundaries, sampling);
  const auto why = why_not_inside
                       ? why_not_inside
                       : refusal_for_kinks(model, question.method, question.asked, kinks);
  if (!why) return question;
  Question instead = by_noise_alone(question);
  const bool is_right = !question.asked.tangents &&
                        !(why_not_inside && !boundaries.still.empty()) &&
                        !refusal_for_kinks(model, instead.method, instead.asked, kinks) &&
                        !refusal(model, instead.method, instead.asked);
  if (!steps_are_open(question.method) || !is_right) throw Error(*why);
  if (why_not_inside) instead = beyond_boundaries(instead, boundaries, warnings);
  if (instead.asked.score) {
    warnings.push_back(
        {"kinks", fmt::format("{} Exact steps with the damping '{}' were taken, which need no "
                              "such derivative and have more variance.",
                              why_not_inside ? "Derivatives by the states end there." : harm(kinks),
                              instead.method.damping.text())});
  }
  return instead;
}

}  // namespace

struct Study::Choice {
  Model model;
  Asked asked;
  RunRecord record;

  Choice(const Model& model_, const Method& method, const Asked& asked_, const Sampling& sampling,
         const Session& session, const Tuning& tuning)
      : model(model_) {
    const Question question = right_at_places(model, {method, asked_}, sampling, session,
                                              tuning.parameters_move, record.warnings);
    asked = question.asked;
    record.method = question.method;
    for (Warning& warning : warnings_of_inputs(model, sampling)) {
      record.warnings.push_back(std::move(warning));
    }
    for (Warning& warning : warnings_of_steps(model, sampling, session)) {
      record.warnings.push_back(std::move(warning));
    }
    if (asked.states_alone()) return;
    record.method.estimator = estimator(method.estimator).name();
    record.choice = choose_damping(model, record.method, asked, sampling, session.aside(), tuning);
    record.method.damping = record.choice.damping;
    record.alpha = record.choice.damping.text();
  }
};

Study::Study(const Model& model, const Method& method, const Asked& asked, const Sampling& sampling,
             const Session& session, const Tuning& tuning)
    : Study(Choice(model, method, asked, sampling, session, tuning), sampling, session) {}

Study::Study(Choice choice, const Sampling& sampling, const Session& session)
    : sampling_(sampling),
      session_(session),
      record_(std::move(choice.record)),
      ensemble_(choice.model, record_.method, choice.asked, session.marcher) {
  const std::string name = record_.method.estimator;
  record_.method = plan().method;
  record_.method.estimator = name;
  record_.steps = plan().text();
  record_.sampling = sampling;
  record_.compile_seconds = record_.choice.compile_seconds + ensemble_.compile_seconds();
}

void Study::set_damping(const DampingChoice& choice) {
  ensemble_.set_damping(choice.damping);
  record_.choice = choice;
  record_.method.damping = choice.damping;
  record_.alpha = choice.damping.text();
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
  return run_aside(ensemble_.model(), sampling);
}

Paths Study::run_aside(const Model& model, const Sampling& sampling) const {
  return ensemble_.run_at(model, sampling, session_.aside());
}

const RunSummary& Study::finished(const RunSummary& summary) {
  record_.sampling = sampling_;
  record_.summary = summary;
  record_.effort.path_runs += summary.requested;
  return record_.summary;
}

}  // namespace divker
