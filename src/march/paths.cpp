#include "divker/paths.hpp"

#include <algorithm>
#include <limits>

#include "divker/path_functional.hpp"
#include "divker/step.hpp"

namespace divker {

const Matrix& Snapshot::operator[](std::string_view name) const {
  static const Matrix none;
  const auto found =
      std::ranges::find_if(tables_, [name](const auto& one) { return one.first == name; });
  return found == tables_.end() ? none : found->second;
}

Matrix& Snapshot::table(std::string_view name) {
  const auto found =
      std::ranges::find_if(tables_, [name](const auto& one) { return one.first == name; });
  if (found != tables_.end()) return found->second;
  return tables_.emplace_back(std::string(name), Matrix()).second;
}

Matrix Snapshot::functionals() const {
  Matrix values = (*this)[functional_array];
  std::ranges::replace(values.data, not_yet, std::numeric_limits<double>::infinity());
  return values;
}

Matrix Snapshot::x_and_functionals() const {
  const Matrix more = functionals();
  if (more.cols == 0) return x();
  Matrix both(x().rows, x().cols + more.cols);
  for (std::size_t r = 0; r < both.rows; ++r) {
    const auto after = std::ranges::copy(x().row(r), both.row(r).begin()).out;
    std::ranges::copy(more.row(r), after);
  }
  return both;
}

void Snapshot::transfer(Archive& archive) {
  std::size_t count = tables_.size();
  archive(time, count);
  tables_.resize(count);
  for (auto& [name, table] : tables_) archive(name, table);
}

}  // namespace divker
