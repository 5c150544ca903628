#include "derive/ports.hpp"

#include "divker/step.hpp"

namespace divker::derive {

Argument state_argument(const Symbols& s) { return {state_array, Role::carried, ids(s.x)}; }
Argument covector_argument(const Symbols& s) { return {covector_array, Role::carried, ids(s.nu)}; }
Argument tangent_argument(const Vector& values) {
  return {tangent_array, Role::carried, ids(values)};
}
Argument noise_argument(const Symbols& s) { return {"b", Role::noise, ids(s.b)}; }
Argument time_argument(const Symbols& s) {
  Vector values{s.t};
  values.insert(values.end(), s.input.begin(), s.input.end());
  values.insert(values.end(), s.input_at_arrival.begin(), s.input_at_arrival.end());
  return {"t", Role::time, ids(values)};
}
Argument damping_argument(const Vector& values) { return {"damping", Role::schedule, ids(values)}; }
Argument parameters_argument(const Symbols& s) {
  return {"parameters", Role::parameters, ids(s.parameters)};
}
Argument step_size_argument(const Symbols& s) { return {"dt", Role::step_size, {s.dt.id()}}; }

Result state_result(const Vector& values) {
  return {state_array, ids(values), Fate::replaced, true};
}
Result covector_result(const Vector& values) {
  return {covector_array, ids(values), Fate::replaced, true};
}
Result tangent_result(const Vector& values) {
  return {tangent_array, ids(values), Fate::replaced, true};
}
Result first_response_result(const Vector& values) {
  return {response_array, ids(values), Fate::replaced, true};
}
Result response_result(const Vector& increments) {
  return {response_array, ids(increments), Fate::accumulated, true};
}

}  // namespace divker::derive
