#include "numbers/monomials.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace divker::numbers {

std::size_t count_monomials(std::size_t variables, std::size_t degree) {
  double count = 1.0;
  for (std::size_t i = 1; i <= degree; ++i) {
    count *= static_cast<double>(variables + i) / static_cast<double>(i);
  }
  return static_cast<std::size_t>(std::llround(std::min(count, 1e15)));
}

std::vector<Monomial> monomials_of_degree(std::size_t variables, std::size_t degree) {
  std::vector<Monomial> all{{}};
  for (std::size_t d = 0; d < degree; ++d) {
    std::vector<Monomial> longer;
    for (const Monomial& shorter : all) {
      for (std::size_t v = shorter.empty() ? 0 : shorter.back(); v < variables; ++v) {
        Monomial& product = longer.emplace_back(shorter);
        product.push_back(v);
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::vector<Monomial> monomials_up_to(std::size_t variables, std::size_t degree) {
  std::vector<Monomial> all;
  for (std::size_t d = 0; d <= degree; ++d) {
    std::vector<Monomial> some = monomials_of_degree(variables, d);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace divker::numbers
