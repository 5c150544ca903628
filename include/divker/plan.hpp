// What will be done, decided in one place: the programs of a path for a model, a method and what is
// asked for, or the sentence why not.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/error.hpp"
#include "divker/method.hpp"
#include "divker/model.hpp"
#include "divker/model_kinks.hpp"
#include "divker/program.hpp"

namespace divker {

// A dense matrix, made for every path between two programs: the inverse of one that is given by
// some of its entries. A path fails where it is singular, or where its determinant has another sign
// than on the path without noise.
struct Inversion {
  std::string entries;              // the array of the entries
  std::vector<std::size_t> places;  // of the entries, row * dimension + column
  std::size_t dimension = 0;
  std::string inverse;  // the array that is made, row after row
};

// One program, and what is done with its results before the next one.
struct Stage {
  Program program;
  std::optional<Inversion> inversion;
  std::size_t chunk = 0;  // KernelOptions::chunk
};

// Everything that a marcher needs to know of a method.
struct Plan {
  Method method;  // as it runs: nothing is automatic but a damping that was left open
  Asked asked;
  Stage start;
  std::optional<Program> first;  // the first step, where it is another than the rest
  std::vector<Stage> step;       // in this order

  bool has_time_step = true;  // of the model: dt is a choice that answers depend on

  // "r in sqrt(r)", for states that are stepped in their roots; empty: none.
  std::string roots;

  // The first step forgets the start, because the initial law has no density.
  [[nodiscard]] bool score_free() const { return first.has_value(); }
  [[nodiscard]] std::size_t operations() const;  // of one step of one path
  // What the last program of a step leaves for snapshots: names and widths.
  [[nodiscard]] std::vector<const Result*> recorded() const;
  // The same programs with other numbers. Error(usage) for a damping that asks for other ones.
  void use(const Damping& damping, const Model& model);
  // "euler steps, order 1, damping 5", "exact steps, damping kernel", "states alone, r in sqrt(r)".
  [[nodiscard]] std::string text() const;
};

// A component of a recorded array in messages: "state x[3]", "covector of x[3]", "response".
[[nodiscard]] std::string component_in_words(const Result& array, std::size_t component,
                                             const Model& model);

// Do the steps approximate an SDE? Those of a map are exact: it has neither drift nor dt.
[[nodiscard]] bool has_time_step(const Model& model);
// Error(usage) for a map, whose sentence begins with `what`, such as "Series are fitted to SDEs".
void require_sde(const Model& model, std::string_view what);
// States alone, and all functionals of the path.
[[nodiscard]] Asked states_and_functionals(const Model& model);
// Why the method is not possible for the model; none if it is. Cheap: nothing is derived.
[[nodiscard]] std::optional<Error> refusal(const Model& model, const Method& method,
                                           const Asked& asked);
// The same where noise is what is missing: it is singular, or some state has none.
[[nodiscard]] std::optional<Error> refusal_for_noise(const Model& model, const Method& method,
                                                     const Asked& asked);
// The same where kinks and jumps of drift or noise are in the way, of those that paths meet. A step
// that carries the covector through the Jacobian misses what happens at them, derivatives of paths
// miss the jumps; any step that is told of the parameters misses a jump that one of them moves.
[[nodiscard]] std::optional<Error> refusal_for_kinks(const Model& model, const Method& method,
                                                     const Asked& asked,
                                                     std::span<const ModelKink> met);
// The method with everything filled in that is automatic, but for the damping.
[[nodiscard]] Method resolved(const Model& model, const Method& method, const Asked& asked);
// Throws the refusal. A damping that is left open is planned as the constant 1.
[[nodiscard]] Plan plan(const Model& model, const Method& method, const Asked& asked);

}  // namespace divker
