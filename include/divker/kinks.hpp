// Where an expression jumps or has a kink, found in its graph.
//
// The derivatives of a graph are those on the two sides: what happens between them is not in them.
// Here is told where that matters. At a place g = 0 the operations that switch there are put on
// either side, and what remains of the difference of the expression, of its gradient and of its
// second derivatives is tested for zero by algebra (graph/residue.hpp). So x |x| is known to have a
// continuous derivative, and max(x, 0) + min(x, 0) not to switch at all. What the algebra does not
// see, such as sin^2 + cos^2 = 1, is taken for the worse: a kink may be named that is none, but
// none is missed that depends on the inputs.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

enum class KinkKind {
  jump,  // the value jumps, or has no bound
  kink,  // the value is continuous, its derivative jumps
  root,  // the value is continuous, its derivative is infinite
  bend,  // the derivative is continuous, the second derivative jumps or is infinite
};
[[nodiscard]] std::string_view name_of(KinkKind kind);

struct Kink {
  std::size_t root = 0;  // the number of the expression
  Op op = Op::constant;  // that switches there: abs, min, max, step, sign, floor, where, sqrt, pow
  KinkKind kind = KinkKind::jump;
  Expression place;  // it switches where this is zero; for floor, where this is a whole number
};

// All places of the roots that move with one of the inputs, for derivatives by these inputs. What
// switches with other things alone, such as the time, does no harm to them and is not listed.
// `positive`: inputs that are known to be above zero, so that their absolute value has no kink.
// Adds nodes to the graph. One of a kind and place a root; root after root, what switches in the
// order of the operations, then the roots at zero.
// Cost: a few derivatives and evaluations of each root a place. Of a root with more than 64 places
// each is taken for what its operation alone would do.
[[nodiscard]] std::vector<Kink> find_kinks(Graph& graph, std::span<const NodeId> roots,
                                           std::span<const Expression> inputs,
                                           std::span<const Expression> positive = {});

}  // namespace divker
