// What one step is, and how far it is expanded.
#pragma once

#include <string_view>

namespace divker {

// What one step is.
enum class Scheme {
  automatic,  // euler for an SDE, exact for a map
  euler,      // of an SDE: (J^{-T}, log det J) expanded in dt. Maps have no such step
  exact,      // of a map, or of the Euler chain of an SDE: no expansion, the Jacobian J is inverted
};
[[nodiscard]] std::string_view name_of(Scheme scheme);
// Error(usage) for a text that is neither "euler" nor "exact"; empty: automatic.
[[nodiscard]] Scheme parse_scheme(std::string_view text);

// How far J^{-T} and log det J, J = Id + dt grad F + sum_k db_k grad S_k, are expanded.
enum class InverseOrder {
  automatic,  // first, but second for the long paths of stationary answers
  first,      // weak order 1, the cheapest
  second,     // keeps also the products of drift with drift and drift with noise (dt^2, dt db): the
              // bias against the Euler chain all but vanishes, for one or two more reverse
              // derivatives
};
// 1 or 2: what an order is called in words. An exact step keeps all orders; it is recorded as 1.
[[nodiscard]] int number_of(InverseOrder order);

}  // namespace divker
