// What entries of C(x) = E[nu nu^T | x] may be made of: the candidates that learned damping selects
// from.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker::tune {

// States that share one law of C. A group of vectors x[n], y[n], ... has n sites, i = 0 ... n-1,
// and what it learns of one it learns of all: the entry (x[i], y[i+d]) has the same polynomial, of
// the neighbours of i, whatever i. Other states form groups with one site.
struct CovarianceGroup {
  // A product of standardised states, site by site; none where a neighbour is beyond the end.
  using Feature = std::vector<std::optional<std::vector<std::size_t>>>;
  struct Place {
    std::size_t row = 0;
    std::size_t column = 0;
  };
  struct Entry {
    std::vector<std::optional<Place>> places;  // site by site
    bool is_diagonal = false;
  };
  std::vector<Feature> features;  // the first is 1
  std::vector<Entry> entries;
  std::vector<std::size_t> whole_sites;  // where no feature and no entry is missing: to learn from
};

// Vectors of at least eight components share one law for all of them, with entries up to four
// components apart and features of degree two of neighbours up to three apart. Up to twelve other
// states have all entries among themselves, with polynomials of degree four (few states) to one;
// more have their variances alone, of degree two in the state itself.
[[nodiscard]] std::vector<CovarianceGroup> covariance_groups(const Model& model);

// The number of the scale of each state: one for a vector that shares its law, one for each other
// state.
[[nodiscard]] std::vector<std::size_t> state_scales(const Model& model);

}  // namespace divker::tune
