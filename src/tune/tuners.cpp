#include "tune/tuners.hpp"

#include <algorithm>

#include "divker/error.hpp"

namespace divker::tune {
namespace {

// Matrices of more states cost more than they save.
constexpr std::size_t largest_gaussian_dimension = 64;
// Programs of more states compile too long.
constexpr std::size_t largest_learned_dimension = 128;

}  // namespace

const std::vector<Tuner>& tuners() {
  static const std::vector<Tuner> table{
      {"gaussian", largest_gaussian_dimension, tune_gaussian, nullptr},
      {"learned", largest_learned_dimension, nullptr, learn}};
  return table;
}

const Tuner* tuner_of(const DampingForm* form) {
  if (form == nullptr) return nullptr;
  const auto found = std::find_if(tuners().begin(), tuners().end(), [form](const Tuner& tuner) {
    return tuner.form == form->name();
  });
  return found == tuners().end() ? nullptr : &*found;
}

std::vector<Damping> tuned_from_states(Trial& trial) {
  std::vector<Damping> found;
  for (const Tuner& tuner : tuners()) {
    if (tuner.from_states == nullptr || trial.model().dimension() > tuner.most_states) continue;
    try {
      const Tuned tuned = tuner.from_states(trial.model(), trial.sampling(), trial.session());
      trial.add_compile_seconds(tuned.compile_seconds);
      found.push_back(tuned.damping);
    } catch (const Error& error) {
      // A singular covariance rules this one candidate out, not the others.
      if (error.kind() != ErrorKind::numerical) throw;
    }
  }
  return found;
}

}  // namespace divker::tune
