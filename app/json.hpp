// Fields as JSON: what is printed with --json.
#pragma once

#include <nlohmann/json.hpp>

#include "present/fields.hpp"

namespace divker::app {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const Matrix& matrix);
[[nodiscard]] Json to_json(const present::Fields& fields);

}  // namespace divker::app
