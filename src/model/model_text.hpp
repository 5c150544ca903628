// Models back into the language.
#pragma once

#include <cstddef>
#include <string>

#include "divker/model.hpp"

namespace divker {

// The whole model, one equation a component; what many equations share becomes a `let`.
[[nodiscard]] std::string text_by_component(const Model& model);

// "param a[2] = [1, 2] in (0, inf) fixed", with the current values.
[[nodiscard]] std::string parameter_statement(const Model& model, std::size_t family);
// " \"temperature\" [K]" behind the name of what has a label; "" where there is none.
[[nodiscard]] std::string label_text(const Model& model, const std::string& name);
// "estimated a +- 0.1", a line for each of model.errors().
[[nodiscard]] std::string error_statements(const Model& model);
// "input u(t) from \"forcing.csv\" step"
[[nodiscard]] std::string input_statement(const Input& input);
// "tanh 32, linear 2 seed 3": what stands behind the = of a net. Weights that are neither the
// initial ones nor those of its file are listed.
[[nodiscard]] std::string network_text(const Model& model, std::size_t network);
// "time 0 : 0.01 : 1"
[[nodiscard]] std::string time_statement(const TimeGrid& grid);

}  // namespace divker
