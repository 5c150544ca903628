#include "derive/damping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "numbers/checksum.hpp"
#include "numbers/number_in.hpp"
#include "numbers/rounded.hpp"

namespace divker {
namespace derive {
namespace {

// What is used in place of a damping that is still to be chosen.
const Damping& settled(const Damping& damping) {
  static const Damping constant;
  return damping.form == nullptr || damping.open ? constant : damping;
}

}  // namespace

Damped damp(const Symbols& s, const Damping& damping, const Vector& nu_div, const Vector& arrival) {
  const NoiseInverse inverse(s);
  const Damping& known = settled(damping);
  return known.form->derive({s, inverse, nu_div, arrival}, known);
}

Vector surprise(const DampingSite& site) {
  Vector w = site.inverse.covector_of_increment();
  for (std::size_t e = 0; e < w.size(); ++e) {
    w[e] = site.nu_div[site.inverse.noisy_rows()[e]] * site.s.dt + w[e];
  }
  return w;
}

// (1 - rate dt) nu_div - rate S^{-T} db is the same as nu_div - rate w, an operation cheaper.
Damped damped_at_rate(const DampingSite& site, Expression rate) {
  const Expression kept = 1.0 - rate * site.s.dt;
  const Vector told = site.inverse.covector_of_increment();
  Damped damped{site.nu_div, {}};
  for (std::size_t e = 0; e < told.size(); ++e) {
    Expression& nu = damped.nu[site.inverse.noisy_rows()[e]];
    nu = kept * nu - rate * told[e];
  }
  return damped;
}

Vector arguments_named(const Symbols& s, const std::string& name, std::size_t count,
                       Damped& damped) {
  Vector made;
  for (std::size_t k = 0; k < count; ++k) {
    made.push_back(s.graph->input(name + "[" + std::to_string(k) + "]"));
  }
  damped.arguments.insert(damped.arguments.end(), made.begin(), made.end());
  return made;
}

Vector at_arrival(const DampingSite& site, const Vector& expressions, const Vector& held,
                  const Vector& values) {
  const Symbols& s = site.s;
  // e^x goes first: at the arrival it is the new state, made already.
  Vector from = s.states_at(s.x);
  Vector to = s.states_at(site.arrival);
  from.insert(from.end(), s.x.begin(), s.x.end());
  to.insert(to.end(), site.arrival.begin(), site.arrival.end());
  from.push_back(s.t);
  to.push_back(s.t + s.dt);
  from.insert(from.end(), s.input.begin(), s.input.end());
  to.insert(to.end(), s.input_at_arrival.begin(), s.input_at_arrival.end());
  from.insert(from.end(), held.begin(), held.end());
  to.insert(to.end(), values.begin(), values.end());
  return substitute(*s.graph, expressions, from, to);
}

std::vector<double> rates_of_tangents(const DampingSurvey& survey) {
  if (survey.is_map) return {0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0};
  std::vector<double> rates{0.0};
  const double half_decade = std::sqrt(10.0);
  for (double alpha = 1.0 / survey.horizon; alpha <= 0.25 / survey.dt; alpha *= half_decade) {
    rates.push_back(rounded(alpha));
  }
  return rates;
}

std::optional<std::vector<double>> numbers_after(std::string_view prefix, std::string_view text,
                                                 std::size_t count) {
  if (!text.starts_with(prefix)) return std::nullopt;
  std::string_view rest = text.substr(prefix.size());
  std::vector<double> numbers;
  while (numbers.size() < count) {
    const bool is_last = numbers.size() + 1 == count;
    const std::size_t end = is_last ? rest.size() : std::min(rest.find(','), rest.size());
    const std::optional<double> number = number_in(rest.substr(0, end));
    if (!number || !std::isfinite(*number)) return std::nullopt;
    numbers.push_back(*number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return numbers;
}

Damping left_open(const DampingForm& form) {
  Damping damping;
  damping.form = &form;
  damping.open = true;
  return damping;
}

void require_rate(double alpha) {
  if (alpha < 0.0) {
    throw Error(
        ErrorKind::usage,
        fmt::format("The damping alpha = {} is negative: alpha must be at least 0.", alpha));
  }
}

std::string is_a_map(const Model& model) {
  return "model " + model.name() + " is a discrete-time map.";
}

std::string belongs_to_exact_steps(const Damping& damping, const Model& model) {
  return "The damping '" + damping.text() +
         "' belongs to exact steps: those of maps, and those of "
         "the SDE " +
         model.name() + " with the exact scheme.";
}

}  // namespace derive

Damping::Damping() : form(&derive::constant_form()) {}

Damping Damping::automatic() {
  Damping damping;
  damping.form = nullptr;
  damping.open = true;
  return damping;
}

void Damping::arguments(std::size_t n, const TimeGrid& grid, std::span<double> out) const {
  const Damping& known = derive::settled(*this);
  known.form->arguments(known, n, grid, out);
}

std::size_t Damping::argument_count() const {
  const Damping& known = derive::settled(*this);
  return known.form->argument_count(known);
}

std::string Damping::text() const {
  if (form == nullptr) return "auto";
  return open ? std::string(form->name()) : form->text(*this);
}

std::string Damping::identity() const {
  const std::string shown = early ? "early:" + text() : text();
  const bool is_known = form != nullptr && !open;
  const std::vector<double> hidden = is_known ? form->hidden_numbers(*this) : std::vector<double>{};
  return hidden.empty() ? shown : shown + " with the hash " + hash_of(hidden);
}

bool Damping::same_step(const Damping& other) const {
  const Damping& mine = derive::settled(*this);
  const Damping& theirs = derive::settled(other);
  return &mine.form->step_form() == &theirs.form->step_form() &&
         mine.form->shape(mine) == theirs.form->shape(theirs);
}

double Damping::rate_at(std::size_t n, const TimeGrid& grid) const {
  const double elapsed = grid.time(n) - grid.start;
  const double value = early ? std::max(alpha, 1.0 / (elapsed + grid.step)) : alpha;
  return std::min(value, 1.0 / grid.step);
}

// --- what most forms share --------------------------------------------------------------------

std::string DampingForm::refusal(const Damping& damping, const Model& model,
                                 Scheme /*scheme*/) const {
  if (model.dynamics() == Dynamics::sde) return {};
  if (damping.early) {
    return "The damping 'early' forgets the start of an SDE at the rate 1/t, but " +
           derive::is_a_map(model);
  }
  if (damping.alpha > 1.0) {
    return fmt::format(
        "The damping alpha = {} is above 1: it is the share of the kernel in a step, because {}",
        damping.alpha, derive::is_a_map(model));
  }
  return {};
}

void DampingForm::check(const Damping& /*damping*/, const Model& /*model*/) const {}
const void* DampingForm::shape(const Damping& /*damping*/) const { return nullptr; }
std::vector<double> DampingForm::hidden_numbers(const Damping& /*damping*/) const { return {}; }
std::vector<Damping> DampingForm::candidates(const DampingSurvey& /*survey*/) const { return {}; }
std::vector<Damping> DampingForm::neighbours(const Damping& /*best*/, double /*dt*/) const {
  return {};
}

// --- the table --------------------------------------------------------------------------------

std::vector<const DampingForm*>& damping_forms() {
  static std::vector<const DampingForm*> forms{
      &derive::constant_form(), &derive::matrix_form(), &derive::jacobian_form(),
      &derive::learned_form(),  &derive::kernel_form(), &derive::mixed_form(),
      &derive::off_form(),      &derive::until_form(),  &derive::late_form()};
  return forms;
}

const DampingForm& damping_form(std::string_view name) {
  std::vector<std::string_view> names;
  for (const DampingForm* form : damping_forms()) {
    if (form->name() == name) return *form;
    names.push_back(form->name());
  }
  throw Error(ErrorKind::usage, fmt::format("There is no damping of the form '{}', only {}.", name,
                                            fmt::join(names, ", ")));
}

Damping parse_damping(std::string_view text) {
  if (text == "auto") return Damping::automatic();
  for (const DampingForm* form : damping_forms()) {
    if (std::optional<Damping> damping = form->parse(text)) return *std::move(damping);
  }
  refuse_damping(text);
}

void refuse_damping(std::string_view text) {
  std::string expected = "auto";
  for (const DampingForm* form : damping_forms()) {
    expected += form == damping_forms().back() ? " or " : ", ";
    expected += form->usage();
  }
  throw Error(ErrorKind::usage,
              fmt::format("The damping '{}' is not understood: expected {}.", text, expected));
}

}  // namespace divker
