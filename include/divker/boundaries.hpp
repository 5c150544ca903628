// Where the equations of a model end, and how paths step on there.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "divker/expression.hpp"
#include "divker/model.hpp"

namespace divker {

struct Boundary {
  std::string sentence;          // "The noise of v ends where v = 0 (sqrt)."
  std::shared_ptr<Graph> graph;  // a copy of the model's, for all boundaries of a model
  NodeId function = 0;           // above zero inside
};

// What drift and noise take a root or a power of, and the states of leaky_states().
[[nodiscard]] std::vector<Boundary> boundaries(const Model& model);

// The states with a range whose logarithm does not keep them inside: their noise in units of the
// distance w from an end, S/w, grows without bound as w falls, as that of a square root or of a
// constant does. Told by numbers: w = 1e-6 and 1e-12, the other states at three places. A state
// that is stepped in its root (divker/state_coordinates.hpp) is none of them. Ascending.
[[nodiscard]] std::vector<std::size_t> leaky_states(const Model& model);

// The states that end at zero themselves, being positive and leaky or a factor of what a root is
// taken of, and whose drift is not linear in them: below zero it may lead anywhere. Ascending.
[[nodiscard]] std::vector<std::size_t> clamped_states(const Model& model);

// The expressions with zero in place of sqrt(g), and of g^c unless c is a whole number, wherever g
// depends on the states and is not above zero; so are the derivatives. The truncation of R. Lord,
// R. Koekkoek, D. van Dijk, Quantitative Finance 10 (2010) 177, in the roots alone, so that a
// linear drift keeps the mean exact.
[[nodiscard]] std::vector<Expression> ended_at_zero(Graph& graph, std::span<const Expression> f,
                                                    std::span<const Expression> states);

}  // namespace divker
