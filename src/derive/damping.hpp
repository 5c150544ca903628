// nu' = nu_div - dt A^T ( nu_div + S^{-T} db / dt ): how the noise corrects the covector.
//
// What the forms in src/derive/dampings are made of, and the list of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "derive/noise_inverse.hpp"
#include "derive/symbols.hpp"
#include "divker/damping.hpp"

namespace divker::derive {

// All that the formula of a damping can mention.
struct DampingSite {
  const Symbols& s;
  const NoiseInverse& inverse;
  const Vector& nu_div;   // the covector before the damping
  const Vector& arrival;  // x'
};

struct Damped {
  Vector nu;         // the covector after it
  Vector arguments;  // the values that the step takes from its schedule
  std::optional<Expression> likelihood_share = std::nullopt;  // of the response
};

// A damping that is still to be chosen is taken for the constant 1. A noise-only form, which has a
// step of its own, leaves the covector as it is.
[[nodiscard]] Damped damp(const Symbols& s, const Damping& damping, const Vector& nu_div,
                          const Vector& arrival);

// --- formulas ---------------------------------------------------------------------------------

// w = nu_div dt + S^{-T} db, on the noisy states: zero in the mean, given where the path arrives.
[[nodiscard]] Vector surprise(const DampingSite& site);
// nu' = nu_div - rate w, for one rate that all states share.
[[nodiscard]] Damped damped_at_rate(const DampingSite& site, Expression rate);
// `count` step arguments NAME[0], NAME[1], ...; also appended to those of the damping.
[[nodiscard]] Vector arguments_named(const Symbols& s, const std::string& name, std::size_t count,
                                     Damped& damped);
// Expressions of x, t and of values held, with the arrival x', t + dt and the values in their
// place.
[[nodiscard]] Vector at_arrival(const DampingSite& site, const Vector& expressions,
                                const Vector& held, const Vector& values);

// Rates to try for derivatives of paths: 0 and half decades from one over the length of the paths
// to a fourth of 1/dt; of a map, shares of the kernel.
[[nodiscard]] std::vector<double> rates_of_tangents(const DampingSurvey& survey);

// --- texts ------------------------------------------------------------------------------------

// The finite numbers behind a prefix, separated by commas; none unless there are exactly `count`.
[[nodiscard]] std::optional<std::vector<double>> numbers_after(std::string_view prefix,
                                                               std::string_view text,
                                                               std::size_t count);
// A damping of a form whose numbers are to be chosen.
[[nodiscard]] Damping left_open(const DampingForm& form);
// Error(usage) for a negative alpha.
void require_rate(double alpha);
// "model X is a discrete-time map.", the end of sentences that refuse one.
[[nodiscard]] std::string is_a_map(const Model& model);
// The sentence of a form that the expanded step of an SDE has no use for.
[[nodiscard]] std::string belongs_to_exact_steps(const Damping& damping, const Model& model);

// --- the forms, each a file of src/derive/dampings --------------------------------------------

[[nodiscard]] const DampingForm& constant_form();
[[nodiscard]] const DampingForm& off_form();
[[nodiscard]] const DampingForm& until_form();
[[nodiscard]] const DampingForm& late_form();
[[nodiscard]] const DampingForm& matrix_form();
[[nodiscard]] const DampingForm& jacobian_form();
[[nodiscard]] const DampingForm& learned_form();
[[nodiscard]] const DampingForm& kernel_form();
[[nodiscard]] const DampingForm& mixed_form();

}  // namespace divker::derive
