#include "divker/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "derive/functionals.hpp"
#include "derive/likelihood_ratio.hpp"
#include "divker/exact_step.hpp"
#include "divker/state_coordinates.hpp"
#include "divker/step.hpp"

namespace divker {
namespace derive {
namespace {

bool is_noise_only(const Damping& damping) {
  return damping.form != nullptr && damping.form->is_noise_only();
}

// Is the Jacobian of every step inverted? A method with everything but the damping filled in.
bool inverts(const Method& method, const Asked& asked) {
  return asked.score && method.scheme == Scheme::exact && !is_noise_only(method.damping);
}

// A rule: a sentence where it forbids the method, which has everything but the damping filled in.
using Refusal = std::optional<Error>;

Refusal usage(std::string sentence) { return Error(ErrorKind::usage, sentence); }

Refusal of_scheme(const Model& model, const Method& method, const Asked& /*asked*/) {
  if (has_time_step(model) || method.scheme != Scheme::euler) return std::nullopt;
  return usage(
      fmt::format("The scheme euler is for SDEs: model {} is a discrete-time map, whose "
                  "step is exact.",
                  model.name()));
}

Refusal of_damping(const Model& model, const Method& method, const Asked& asked) {
  if (!asked.is_damped() || method.damping.form == nullptr) return std::nullopt;
  if (asked.tangents && !method.damping.form->is_one_rate()) {
    return usage(
        fmt::format("The damping '{}' is none of derivatives of paths, which are damped "
                    "at one rate that depends on the time alone.",
                    method.damping.text()));
  }
  const std::string why = method.damping.form->refusal(method.damping, model, method.scheme);
  if (!why.empty()) return usage(why);
  if (method.damping.open) return std::nullopt;
  try {
    method.damping.form->check(method.damping, model);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

Refusal of_order(const Model& model, const Method& method, const Asked& asked) {
  if (method.order != InverseOrder::second) return std::nullopt;
  if (asked.tangents)
    return usage("Derivatives of paths need no inverse: there is no order in it.");
  if (method.scheme != Scheme::exact) return std::nullopt;
  if (!has_time_step(model)) {
    return usage(
        fmt::format("The order in the inverse is that of an expansion in dt, but model {} "
                    "is a discrete-time map, whose step is exact.",
                    model.name()));
  }
  return usage(
      "The order in the inverse is that of the Euler scheme; the exact scheme keeps all orders.");
}

// A map whose damping is open may still become the noise-only step, which needs no inverse.
Refusal of_inverse(const Model& model, const Method& method, const Asked& asked) {
  const bool may_do_without = !has_time_step(model) && method.damping.form == nullptr;
  if (!inverts(method, asked) || may_do_without) return std::nullopt;
  if (model.dimension() > largest_exact_dimension) {
    return usage(
        fmt::format("The exact step inverts a matrix as wide as the model has states: "
                    "model {} has {}, the limit is {}.",
                    model.name(), model.dimension(), largest_exact_dimension));
  }
  if (const auto kink = kink_of(model)) {
    return Error(ErrorKind::model,
                 fmt::format("The step of model {} has a kink ({}): its Jacobian jumps there, and "
                             "the exact divergence step would miss what the fold contributes; the "
                             "damping 'kernel' needs no Jacobian.",
                             model.name(), *kink));
  }
  return std::nullopt;
}

constexpr const char* what_needs_no_score =
    " Simulations need no score, nor do responses of means by the method finite-difference";

// Is nothing handed to the noise, or is that left open?
bool may_do_without_noise(const Method& method, const Asked& asked) {
  return asked.tangents && (method.damping.form == nullptr || method.damping.argument_count() == 0);
}

Refusal of_singular_noise(const Model& model, const Method& method, const Asked& asked) {
  if (asked.states_alone() || model.singular_noise().empty()) return std::nullopt;
  if (may_do_without_noise(method, asked)) return std::nullopt;
  return Error(ErrorKind::model, fmt::format("{}{}.", model.singular_noise(), what_needs_no_score));
}

Error of_moved_jump(const Model& model, const ModelKink& kink, std::size_t mover) {
  return {
      ErrorKind::model,
      fmt::format("{} The place moves with {}: the method finite-difference sees that, in "
                  "means and in densities of one state; no other does. For a fit, declare {} "
                  "fixed.",
                  kink.sentence(), model.parameters()[mover].name, model.parameters()[mover].name)};
}

Error of_carried_covector(const ModelKink& kink) {
  return {ErrorKind::model,
          fmt::format("{} Right there are exact steps with the damping 'kernel' and, for means, "
                      "the method finite-difference.",
                      kink.sentence())};
}

// A step that forgets where it started, or takes its response from the noise, needs noise on every
// state.
Refusal of_silent_states(const Model& model, const Method& method, const Asked& asked) {
  const DampingForm* form = method.damping.form;
  const bool is_told = form != nullptr && form->takes_likelihood_ratio() && !asked.wrt.empty();
  const bool forgets = !model.has_initial_density() || is_noise_only(method.damping);
  if (!asked.score || !(forgets || is_told)) return std::nullopt;
  try {
    require_noise_everywhere(model);
  } catch (const Error& error) {
    return Error(error.kind(),
                 fmt::format("{}{}, or by likelihood-ratio for parameters that move noisy states "
                             "alone.",
                             error.what(), what_needs_no_score));
  }
  return std::nullopt;
}

// The law of a whole path is changed by a parameter as far as noise hides what it does.
Refusal of_likelihood_ratio(const Model& model, const Method& /*method*/, const Asked& asked) {
  if (asked.is_damped() || asked.wrt.empty()) return std::nullopt;
  try {
    require_noise_where_parameters_act(model, asked.wrt);
  } catch (const Error& error) {
    return Error(error.kind(), fmt::format("{}{}.", error.what(), what_needs_no_score));
  }
  return std::nullopt;
}

// E[I_T | x_T] is the response of the density of the state at the end, and tells nothing of how the
// path came there.
Refusal of_functionals(const Model& model, const Method& /*method*/, const Asked& asked) {
  if (!asked.score || asked.functionals.empty()) return std::nullopt;
  return usage(
      fmt::format("The divergence kernel is about the state where a path ends, and {} is a "
                  "functional of the whole path: the methods likelihood-ratio, path-kernel and "
                  "finite-difference follow it.",
                  model.functionals()[asked.functionals.front()].name));
}

constexpr auto rules_of_noise = {of_singular_noise, of_silent_states, of_likelihood_ratio};
constexpr auto other_rules = {of_functionals, of_scheme, of_damping, of_order, of_inverse};

template <class Rules>
Refusal first_of(const Rules& rules, const Model& model, const Method& method, const Asked& asked) {
  for (const auto& rule : rules) {
    if (auto why = rule(model, method, asked)) return why;
  }
  return std::nullopt;
}

// The first step of an SDE leaves a covector of the size of 1/sqrt(dt), that of a map does not.
Damping begun_early(Damping damping, const Model& model, bool score_free) {
  if (score_free && has_time_step(model)) damping.early = true;
  return damping;
}

std::string roots_of(const Model& model) {
  if (!model.has_bounded_states() && !model.is_stepped_in_roots()) return "";
  const auto all = coordinates(model);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string& name = model.states()[i].name;
    if (all[i] == nullptr || !all[i]->is_root()) continue;
    texts.push_back(fmt::format("{} in {}", name, all[i]->text(name)));
  }
  constexpr std::size_t most = 3;
  if (texts.size() > most) return fmt::format("{} states in their roots", texts.size());
  return fmt::format("{}", fmt::join(texts, ", "));
}

// The programs of a step, in their order.
std::vector<Stage> stages_of_step(const Model& model, const Method& method, const Asked& asked) {
  if (inverts(method, asked)) {
    JacobianProgram entries = derive_step_jacobian(model);
    Inversion inversion{"jacobian", std::move(entries.places), model.dimension(), "inverse"};
    // Many results that share little: short functions run as fast, and are compiled much sooner.
    constexpr std::size_t chunk = 100;
    return {{std::move(entries.program), std::move(inversion), chunk},
            {derive_exact_step(model, method, asked), std::nullopt, 0}};
  }
  if (asked.tangents) return {{derive_tangent_step(model, method, asked), std::nullopt, 0}};
  const bool is_likelihood_ratio = !asked.score && !asked.wrt.empty();
  const bool is_noise_step = !has_time_step(model) || is_likelihood_ratio ||
                             (asked.score && is_noise_only(method.damping));
  return {{is_noise_step ? derive_noise_step(model, asked, false)
                         : derive_divergence_step(model, method, asked),
           std::nullopt, 0}};
}

}  // namespace
}  // namespace derive

bool has_time_step(const Model& model) { return model.dynamics() == Dynamics::sde; }

void require_sde(const Model& model, std::string_view what) {
  if (has_time_step(model)) return;
  throw Error(ErrorKind::usage,
              fmt::format("{}; model {} is a discrete-time map.", what, model.name()));
}

Method resolved(const Model& model, const Method& method, const Asked& asked) {
  Method result = method;
  if (result.scheme == Scheme::automatic) {
    result.scheme = has_time_step(model) ? Scheme::euler : Scheme::exact;
  }
  if (result.order == InverseOrder::automatic) {
    const bool is_worth_it = asked.long_paths && result.scheme == Scheme::euler;
    result.order = is_worth_it ? InverseOrder::second : InverseOrder::first;
  }
  return result;
}

std::optional<Error> refusal(const Model& model, const Method& method, const Asked& asked) {
  const Method whole = resolved(model, method, asked);
  if (auto why = derive::first_of(derive::other_rules, model, whole, asked)) return why;
  return derive::first_of(derive::rules_of_noise, model, whole, asked);
}

std::optional<Error> refusal_for_noise(const Model& model, const Method& method,
                                       const Asked& asked) {
  return derive::first_of(derive::rules_of_noise, model, resolved(model, method, asked), asked);
}

std::optional<Error> refusal_for_kinks(const Model& model, const Method& method, const Asked& asked,
                                       std::span<const ModelKink> met) {
  if (asked.states_alone()) return std::nullopt;
  // The inverse of a map's step has a rule of its own, whether paths meet the kink or not.
  const bool carries =
      asked.score && !derive::is_noise_only(method.damping) && has_time_step(model);
  const auto is_missed = [&](const ModelKink& kink) {
    return carries || (asked.tangents && kink.kind != KinkKind::kink);
  };
  for (const ModelKink& kink : met) {
    if (!kink.is_of_step() || kink.kind == KinkKind::bend || kink.is_edge()) continue;
    const auto mover =
        std::ranges::find_if(asked.wrt, [&](std::size_t p) { return kink.is_moved_by(p); });
    if (kink.kind == KinkKind::jump && mover != asked.wrt.end()) {
      return derive::of_moved_jump(model, kink, *mover);
    }
    if (is_missed(kink) && kink.by_states) return derive::of_carried_covector(kink);
  }
  return std::nullopt;
}

Asked states_and_functionals(const Model& model) {
  std::vector<std::size_t> all(model.functionals().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return Asked::states().with(std::move(all));
}

Plan plan(const Model& model, const Method& method, const Asked& asked) {
  Method whole = resolved(model, method, asked);
  if (whole.damping.open) {
    const bool is_singular = asked.tangents && !model.singular_noise().empty();
    whole.damping = is_singular ? no_damping() : Damping();
  }
  if (const auto why = refusal(model, whole, asked)) throw Error(*why);
  Plan result;
  result.asked = asked;
  result.has_time_step = has_time_step(model);
  result.roots = derive::roots_of(model);
  const auto followed = [&](Program program, derive::Moment moment) {
    return derive::with_functionals(model, asked, std::move(program), moment);
  };
  result.start = {followed(derive_start(model, asked), derive::Moment::start), std::nullopt, 0};
  result.step = derive::stages_of_step(model, whole, asked);
  Program& last = result.step.back().program;
  last = followed(std::move(last), derive::Moment::step);
  const bool needs_density = !asked.states_alone() && !asked.tangents;
  if (needs_density && !model.has_initial_density()) {
    result.first = followed(derive_noise_step(model, asked, true), derive::Moment::first_step);
  }
  whole.damping = derive::begun_early(whole.damping, model, result.score_free());
  result.method = std::move(whole);
  return result;
}

std::size_t Plan::operations() const {
  std::size_t sum = 0;
  for (const Stage& stage : step) sum += stage.program.operations();
  return sum;
}

std::vector<const Result*> Plan::recorded() const {
  std::vector<const Result*> all;
  for (const Result& result : step.back().program.results) {
    if (result.recorded) all.push_back(&result);
  }
  return all;
}

void Plan::use(const Damping& damping, const Model& model) {
  if (asked.states_alone()) return;
  if (damping.open || !damping.same_step(method.damping)) {
    throw Error(ErrorKind::usage,
                fmt::format("The ensemble was compiled for another form of damping than '{}'.",
                            damping.text()));
  }
  damping.form->check(damping, model);
  method.damping = derive::begun_early(damping, model, score_free());
}

std::string component_in_words(const Result& array, std::size_t component, const Model& model) {
  if (array.name == state_array) return "state " + model.states()[component].name;
  if (array.name == covector_array) return "covector of " + model.states()[component].name;
  if (array.name == response_array) return "response";
  if (array.name == tangent_array) {
    return "derivative of " + model.states()[component % model.dimension()].name;
  }
  if (array.name == functional_array) return "functional of the path";
  if (array.name == functional_tangent_array) return "derivative of a functional of the path";
  return fmt::format("{}[{}]", array.name, component);
}

std::string Plan::text() const {
  const std::string inside = roots.empty() ? "" : ", " + roots;
  if (asked.beyond_boundaries) return "states alone, beyond boundaries" + inside;
  if (asked.states_alone()) return "states alone" + inside;
  if (asked.tangents) {
    return fmt::format("derivatives of paths, damping {}{}", method.damping.text(), inside);
  }
  if (method.scheme == Scheme::exact) {
    return fmt::format("exact steps, damping {}{}", method.damping.text(), inside);
  }
  return fmt::format("euler steps, order {}, damping {}{}", number_of(method.order),
                     method.damping.text(), inside);
}

}  // namespace divker
