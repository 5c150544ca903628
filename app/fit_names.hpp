// The names of what a fit can be told, for the command and for Python.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "divker/fit.hpp"

namespace divker::app {

template <class Value>
using Names = std::vector<std::pair<std::string, Value>>;

// The default comes first.
inline const Names<Optimizer>& optimizers() {
  static const Names<Optimizer> names{
      {"newton", Optimizer::newton}, {"adam", Optimizer::adam}, {"gd", Optimizer::gd}};
  return names;
}

inline const Names<MatchKind>& matches() {
  static const Names<MatchKind> names{{"centred", MatchKind::centred},
                                      {"neighbours", MatchKind::neighbours}};
  return names;
}

}  // namespace divker::app
