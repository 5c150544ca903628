#include "derive/companion.hpp"

#include <utility>

#include "derive/likelihood_ratio.hpp"
#include "derive/ports.hpp"
#include "derive/symbols.hpp"

namespace divker::derive {

Program derive_companion(const Model& model, bool beyond_boundaries) {
  const Symbols s(model, {}, beyond_boundaries);
  const Vector mean = chain(s, model).mean;
  Vector jacobian;
  for (const Expression& moved : mean) {
    const Vector row = gradient(moved, s.x);
    jacobian.insert(jacobian.end(), row.begin(), row.end());
  }
  Vector amplitude(s.x.size() * s.columns.size(), s.zero());
  for (std::size_t k = 0; k < s.columns.size(); ++k) {
    for (std::size_t e = 0; e < s.columns[k].rows.size(); ++e) {
      amplitude[s.columns[k].rows[e] * s.columns.size() + k] = s.columns[k].values[e] * sqrt(s.h);
    }
  }
  Program program;
  program.arguments = {state_argument(s), time_argument(s), parameters_argument(s),
                       step_size_argument(s)};
  program.results = {
      state_result(mean), {jacobian_array, ids(jacobian)}, {amplitude_array, ids(amplitude)}};
  program.graph = s.graph;
  return s.in_states(std::move(program));
}

}  // namespace divker::derive
