#include "divker/paths.hpp"

#include <algorithm>

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

void Snapshot::transfer(Archive& archive) {
  std::size_t count = tables_.size();
  archive(time, count);
  tables_.resize(count);
  for (auto& [name, table] : tables_) archive(name, table);
}

}  // namespace divker
