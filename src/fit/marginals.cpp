#include "fit/marginals.hpp"

#include <map>
#include <utility>

namespace divker::fit {

std::vector<Marginal> marginals_of(const FitData& data) {
  std::vector<Marginal> marginals;
  std::map<std::pair<double, std::size_t>, std::size_t> place_of;  // by time and coordinate
  for (std::size_t b = 0; b < data.blocks.size(); ++b) {
    const DataBlock& block = data.blocks[b];
    for (std::size_t c = 0; c < block.observed.size(); ++c) {
      const auto [at, is_new] =
          place_of.try_emplace({block.time, block.observed[c]}, marginals.size());
      if (is_new) marginals.push_back({b, c, {}});
      std::vector<double>& values = marginals[at->second].values;
      const std::vector<double> more = block.values.column(c);
      values.insert(values.end(), more.begin(), more.end());
    }
  }
  return marginals;
}

}  // namespace divker::fit
