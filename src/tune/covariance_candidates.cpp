#include "tune/covariance_candidates.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "numbers/monomials.hpp"

namespace divker::tune {
namespace {

using Factors = numbers::Monomial;  // of states
using Group = CovarianceGroup;

constexpr std::size_t shortest_vector = 8;
constexpr std::size_t most_joint_singles = 12;
constexpr std::size_t most_features = 130;
constexpr std::size_t most_features_of_singles = 60;
constexpr std::size_t highest_degree = 4;
constexpr std::ptrdiff_t farthest_entry = 4;
constexpr std::ptrdiff_t farthest_neighbour = 3;

bool shares_a_law(const Family& family) {
  return family.is_vector && family.size >= shortest_vector;
}

// The neighbours of a site, by vector and distance.
struct Neighbour {
  std::size_t vector;
  std::ptrdiff_t distance;
};

// Vectors of one length, periodic or not.
class Chain {
 public:
  explicit Chain(std::vector<Family> vectors)
      : vectors_(std::move(vectors)),
        size_(static_cast<std::ptrdiff_t>(vectors_.front().size)),
        periodic_(vectors_.front().periodic) {}

  [[nodiscard]] Group group() const {
    Group group;
    add_features(group);
    add_entries(group);
    for (std::size_t site = 0; site < vectors_.front().size; ++site) {
      const auto is_there = [site](const auto& by_site) { return by_site[site].has_value(); };
      const bool whole =
          std::all_of(group.features.begin(), group.features.end(), is_there) &&
          std::all_of(group.entries.begin(), group.entries.end(),
                      [&](const Group::Entry& entry) { return is_there(entry.places); });
      if (whole) group.whole_sites.push_back(site);
    }
    return group;
  }

 private:
  [[nodiscard]] std::optional<std::size_t> state(std::ptrdiff_t site, Neighbour to) const {
    std::ptrdiff_t i = site + to.distance;
    if (periodic_) i = (i % size_ + size_) % size_;
    if (i < 0 || i >= size_) return std::nullopt;
    return vectors_[to.vector].first + static_cast<std::size_t>(i);
  }

  [[nodiscard]] std::vector<Neighbour> neighbours(std::ptrdiff_t reach) const {
    std::vector<Neighbour> all;
    for (std::size_t v = 0; v < vectors_.size(); ++v) {
      for (std::ptrdiff_t d = -reach; d <= reach; ++d) all.push_back({v, d});
    }
    return all;
  }

  // Products of two neighbours as far away as their number allows.
  void add_features(Group& group) const {
    std::ptrdiff_t reach = std::min(farthest_neighbour, (size_ - 1) / 2);
    const auto count = [&](std::ptrdiff_t r, std::size_t degree) {
      return numbers::count_monomials(neighbours(r).size(), degree);
    };
    while (reach > 0 && count(reach, 2) > most_features) --reach;
    const std::size_t degree = count(reach, 2) <= most_features ? 2 : 0;
    const std::vector<Neighbour> near = neighbours(reach);
    for (const numbers::Monomial& product : numbers::monomials_up_to(near.size(), degree)) {
      Group::Feature feature;
      for (std::ptrdiff_t site = 0; site < size_; ++site) {
        feature.push_back(factors_at(site, product, near));
      }
      group.features.push_back(std::move(feature));
    }
  }

  [[nodiscard]] std::optional<Factors> factors_at(std::ptrdiff_t site,
                                                  const numbers::Monomial& product,
                                                  const std::vector<Neighbour>& near) const {
    Factors factors;
    for (const std::size_t n : product) {
      const auto k = state(site, near[n]);
      if (!k) return std::nullopt;
      factors.push_back(*k);
    }
    std::sort(factors.begin(), factors.end());
    return factors;
  }

  void add_entries(Group& group) const {
    const std::ptrdiff_t reach = std::min(farthest_entry, (size_ - 1) / 2);
    for (std::size_t v = 0; v < vectors_.size(); ++v) {
      for (std::size_t u = v; u < vectors_.size(); ++u) {
        for (std::ptrdiff_t d = u == v ? 0 : -reach; d <= reach; ++d) {
          Group::Entry entry;
          entry.is_diagonal = u == v && d == 0;
          for (std::ptrdiff_t site = 0; site < size_; ++site) {
            entry.places.push_back(place(site, v, {u, d}));
          }
          group.entries.push_back(std::move(entry));
        }
      }
    }
  }

  // The two states of an entry lie on both sides of the site, as the neighbours do.
  [[nodiscard]] std::optional<Group::Place> place(std::ptrdiff_t site, std::size_t vector,
                                                  Neighbour to) const {
    const std::ptrdiff_t first = site - to.distance / 2;
    const auto here = state(first, {vector, 0});
    const auto there = state(first, to);
    if (!here || !there) return std::nullopt;
    return Group::Place{std::min(*here, *there), std::max(*here, *there)};
  }

  std::vector<Family> vectors_;
  std::ptrdiff_t size_;
  bool periodic_;
};

// One site: every entry among these states, every product of them up to the degree.
Group group_of_singles(const Factors& states, std::size_t degree) {
  Group group;
  for (const numbers::Monomial& product : numbers::monomials_up_to(states.size(), degree)) {
    Factors factors;
    for (const std::size_t v : product) factors.push_back(states[v]);
    group.features.push_back({factors});
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    for (std::size_t j = i; j < states.size(); ++j) {
      group.entries.push_back({{Group::Place{states[i], states[j]}}, i == j});
    }
  }
  group.whole_sites = {0};
  return group;
}

std::size_t degree_for(std::size_t singles) {
  std::size_t degree = highest_degree;
  while (degree > 1 && numbers::count_monomials(singles, degree) > most_features_of_singles) {
    --degree;
  }
  return degree;
}

}  // namespace

std::vector<CovarianceGroup> covariance_groups(const Model& model) {
  std::map<std::pair<std::size_t, bool>, std::vector<Family>> vectors;
  Factors singles;
  for (const Family& family : model.state_families()) {
    if (shares_a_law(family)) {
      vectors[{family.size, family.periodic}].push_back(family);
    } else {
      for (std::size_t k = 0; k < family.size; ++k) singles.push_back(family.first + k);
    }
  }
  std::vector<Group> groups;
  groups.reserve(vectors.size() + std::max<std::size_t>(singles.size(), 1));
  for (const auto& [kind, families] : vectors) groups.push_back(Chain(families).group());
  if (singles.size() > most_joint_singles) {
    std::transform(singles.begin(), singles.end(), std::back_inserter(groups),
                   [](std::size_t k) { return group_of_singles({k}, 2); });
  } else if (!singles.empty()) {
    groups.push_back(group_of_singles(singles, degree_for(singles.size())));
  }
  std::erase_if(groups, [](const Group& group) { return group.whole_sites.empty(); });
  return groups;
}

std::vector<std::size_t> state_scales(const Model& model) {
  std::vector<std::size_t> scale_of(model.dimension(), 0);
  std::size_t next = 0;
  for (const Family& family : model.state_families()) {
    const bool shared = shares_a_law(family);
    for (std::size_t k = 0; k < family.size; ++k) {
      scale_of[family.first + k] = next;
      if (!shared) ++next;
    }
    if (shared) ++next;
  }
  return scale_of;
}

}  // namespace divker::tune
