#include "json.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace divker::app {
namespace {

using present::Fields;

struct Convert {
  template <class Value>
  Json operator()(const Value& value) const {
    return value;
  }
  Json operator()(const Matrix& matrix) const { return to_json(matrix); }
  Json operator()(const std::shared_ptr<const Fields>& fields) const { return to_json(*fields); }
  Json operator()(const std::vector<Fields>& rows) const {
    Json all = Json::array();
    for (const Fields& row : rows) all.push_back(to_json(row));
    return all;
  }
};

}  // namespace

Json to_json(const Matrix& matrix) {
  Json rows = Json::array();
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    const auto row = matrix.row(r);
    rows.push_back(std::vector<double>(row.begin(), row.end()));
  }
  return rows;
}

Json to_json(const Fields& fields) {
  Json object = Json::object();
  for (const auto& [key, value] : fields.all()) object[key] = std::visit(Convert{}, value);
  return object;
}

}  // namespace divker::app
