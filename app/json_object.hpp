// The Object of present/fields.hpp that is printed with --json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "divker/matrix.hpp"

namespace divker::app {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json to_json(const Matrix& matrix);

struct JsonObject {
  Json json = Json::object();

  template <class Value>
  void set(const std::string& key, const Value& value) {
    json[key] = value;
  }
  void set(const std::string& key, const Matrix& matrix) { json[key] = to_json(matrix); }

  template <class Row, class Fill>
  void list(const std::string& key, const std::vector<Row>& rows, const Fill& fill) {
    Json& all = json[key] = Json::array();
    for (const Row& row : rows) {
      JsonObject one;
      fill(one, row);
      all.push_back(std::move(one.json));
    }
  }

  template <class Fill>
  void object(const std::string& key, const Fill& fill) {
    JsonObject one;
    fill(one);
    json[key] = std::move(one.json);
  }
};

}  // namespace divker::app
