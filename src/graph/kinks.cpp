#include "divker/kinks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "graph/elementary.hpp"
#include "graph/residue.hpp"
#include "graph/signs.hpp"

namespace divker {
namespace graph {
namespace {

using Residue = std::optional<std::uint64_t>;  // nothing: infinite or no number

// Roots with more places are not analysed, nor are second derivatives by more inputs.
constexpr std::size_t most_places = 64;
constexpr std::size_t most_second_derivatives = 32;

bool compares(Op op) { return op == Op::step || op == Op::min || op == Op::max; }
bool switches(Op op) {
  return compares(op) || op == Op::abs || op == Op::sign || op == Op::floor || op == Op::where;
}
bool jumps_alone(Op op) {
  return op == Op::step || op == Op::sign || op == Op::floor || op == Op::where;
}
bool has_root(Op op) { return op == Op::sqrt || op == Op::pow; }

// What is known of a node wherever it stands.
struct Facts {
  Signs signs;
  bool moves = false;         // with one of the inputs
  bool is_flat = false;       // constant between the places where it jumps
  bool is_condition = false;  // 0 or 1
  bool has_switch = false;    // something in it switches
  std::uint64_t value = 0;    // at a random point
};

// What is known of the nodes of a growing graph.
class Knowledge {
 public:
  Knowledge(const Graph& graph, std::span<const Expression> inputs,
            std::span<const Expression> positive)
      : graph_(graph), moving_(graph.size()), positive_(graph.size()) {
    for (const Expression& e : inputs) moving_[e.id()] = true;
    for (const Expression& e : positive) positive_[e.id()] = true;
  }

  const Facts& of(NodeId id) {
    for (auto next = static_cast<NodeId>(facts_.size()); next <= id; ++next) {
      facts_.push_back(learn(next));
    }
    return facts_[id];
  }
  [[nodiscard]] bool is_input(NodeId id) const { return id < moving_.size() && moving_[id]; }
  // The value, at the random point, of what is zero where the node switches.
  std::uint64_t switching_value(const Node& node) {
    const std::uint64_t a = of(node.a).value;
    return compares(node.op) ? residue::add(a, residue::negative(of(node.b).value)) : a;
  }

 private:
  [[nodiscard]] bool is_condition(const Node& node, const Facts& a, const Facts& b) const {
    if (node.op == Op::step) return true;
    if (node.op == Op::mul) return a.is_condition && b.is_condition;
    return node.op == Op::sub && b.is_condition && is_one(graph_.node(node.a));
  }
  static bool is_one(const Node& node) { return node.op == Op::constant && node.value == 1.0; }

  Facts learn(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.op == Op::constant) {
      return {.signs = signs_of_constant(node.value),
              .moves = is_input(id),
              .is_flat = true,
              .is_condition = node.value == 0.0 || node.value == 1.0,
              .value = residue::constant(node.value)};
    }
    Facts facts;
    if (node.op == Op::input) {
      facts.moves = is_input(id);
      facts.value = residue::mix(node.a + 1) % residue::prime;
    } else {
      const Facts& a = facts_[node.a];
      const Facts& b = is_binary(node.op) ? facts_[node.b] : a;
      const bool jumps = node.op == Op::step || node.op == Op::sign || node.op == Op::floor;
      facts = {.signs = signs_of(node.op, a.signs, b.signs, node.a == node.b),
               .moves = a.moves || b.moves || is_input(id),
               .is_flat = jumps || (a.is_flat && b.is_flat),
               .is_condition = is_condition(node, a, b),
               .has_switch = a.has_switch || b.has_switch || switches(node.op),
               .value = residue::apply(node.op, a.value, b.value)};
    }
    if (id < positive_.size() && positive_[id]) facts.signs = {false, false, true};
    return facts;
  }

  const Graph& graph_;
  std::vector<bool> moving_;
  std::vector<bool> positive_;
  std::vector<Facts> facts_;
};

// A surface where operations switch: where g is zero, or any whole number.
struct Place {
  Op op = Op::constant;
  Expression g;
  std::uint64_t value = 0;                          // of g at the random point
  std::unordered_map<NodeId, std::uint64_t> point;  // what makes g zero, and a point of the surface

  [[nodiscard]] bool is_of_floor() const { return op == Op::floor; }
};

// The whole number at which floor is looked at.
const std::uint64_t some_whole_number = residue::mix(4711) % residue::prime;

// Where the argument tells the value without a random map.
Residue special_value(const Graph& graph, const Node& node, std::uint64_t a) {
  if (a != 0) return std::nullopt;
  if (const Elementary* f = find_elementary(node.op)) {
    return residue::constant(f->value(0.0));
  }
  const bool is_zero_at_zero = node.op == Op::sqrt || node.op == Op::abs ||
                               (node.op == Op::pow && graph.node(node.b).op == Op::constant);
  return is_zero_at_zero ? Residue(0) : std::nullopt;
}

// Divisions by zero, logarithms of zero and the like.
bool is_infinite(const Graph& graph, const Node& node, std::uint64_t a, std::uint64_t b) {
  if (node.op == Op::div) return b == 0;
  if (a != 0) return false;
  if (const Elementary* f = find_elementary(node.op)) {
    return !std::isfinite(f->value(0.0));
  }
  if (node.op != Op::pow) return false;
  const Node& exponent = graph.node(node.b);
  return exponent.op != Op::constant || exponent.value < 0.0;
}

// One side of a place: values of expressions at a point of it.
class Side {
 public:
  Side(Graph& graph, Knowledge& knowledge, const Place& place, bool is_above)
      : graph_(graph), knowledge_(knowledge), place_(place), is_above_(is_above) {}

  [[nodiscard]] std::vector<Residue> values(std::span<const NodeId> roots) {
    for (const NodeId id : reachable(graph_, roots)) {
      if (!values_.contains(id)) values_[id] = value(id);
    }
    std::vector<Residue> result;
    for (const NodeId id : roots) result.push_back(values_.at(id));
    return result;
  }

 private:
  [[nodiscard]] Residue value(NodeId id) {
    if (const auto fixed = place_.point.find(id); fixed != place_.point.end()) return fixed->second;
    const Node& node = graph_.node(id);
    if (is_leaf(node.op)) return knowledge_.of(id).value;
    const Residue a = values_.at(node.a);
    const Residue b = is_binary(node.op) ? values_.at(node.b) : a;
    if (const std::optional<bool> above = is_above(node)) return switched(node, *above, a, b);
    const bool is_condition = knowledge_.of(node.a).is_condition;
    if (node.op == Op::where) return masked(is_condition, a, b);
    if (node.op == Op::step && is_condition && is_zero(graph_.node(node.b))) return a;
    if (!a || !b || is_infinite(graph_, node, *a, *b)) return std::nullopt;
    if (const Residue special = special_value(graph_, node, *a)) return special;
    return residue::apply(node.op, *a, *b);
  }

  // The side on which the switching expression of the node is; nothing where it switches elsewhere.
  [[nodiscard]] std::optional<bool> is_above(const Node& node) {
    if (!switches(node.op) || (node.op == Op::floor) != place_.is_of_floor()) return std::nullopt;
    const std::uint64_t value = knowledge_.switching_value(node);
    if (value == place_.value) return is_above_;
    if (value == residue::negative(place_.value) && !place_.is_of_floor()) return !is_above_;
    return std::nullopt;
  }

  [[nodiscard]] static Residue switched(const Node& node, bool above, Residue a, Residue b) {
    switch (node.op) {
      case Op::abs:
        return above || !a ? a : residue::negative(*a);
      case Op::sign:
        return above ? 1 : residue::prime - 1;
      case Op::step:
        return above ? 1 : 0;
      case Op::max:
        return above ? a : b;
      case Op::min:
        return above ? b : a;
      case Op::where:
        return above ? b : 0;
      default:
        return residue::add(some_whole_number, above ? 0 : residue::prime - 1);
    }
  }

  static bool is_zero(const Node& node) { return node.op == Op::constant && node.value == 0.0; }

  // What is 0 or 1 multiplies; what another number does, by its sign, is not known here.
  [[nodiscard]] static Residue masked(bool is_condition, Residue mask, Residue value) {
    if (!mask || (is_condition && *mask == 0)) return mask;
    if (!value) return value;
    return residue::times(is_condition ? *mask : residue::random_map(Op::where, *mask), *value);
  }

  Graph& graph_;
  Knowledge& knowledge_;
  const Place& place_;
  bool is_above_;
  std::unordered_map<NodeId, Residue> values_;
};

std::vector<NodeId> ids_of(std::span<const Expression> expressions) {
  std::vector<NodeId> ids;
  for (const Expression& e : expressions) ids.push_back(e.id());
  return ids;
}

// The kinks of one root after the other.
class Search {
 public:
  Search(Graph& graph, std::span<const Expression> inputs, std::span<const Expression> positive)
      : graph_(graph), knowledge_(graph, inputs, positive) {}

  void look_at(std::size_t number, NodeId root) {
    const std::vector<NodeId> behind = reachable(graph_, {&root, 1});
    found_before_ = found_.size();
    inputs_.clear();
    places_.clear();
    first_.clear();
    second_.clear();
    for (const NodeId id : behind) {
      if (knowledge_.is_input(id)) inputs_.push_back(graph_.at(id));
    }
    for (const NodeId id : behind) collect_place(id);
    const bool is_analysed = places_.size() <= most_places;
    for (Place& place : places_) {
      if (is_analysed) move_to_surface(place);
      const std::optional<KinkKind> kind = is_analysed ? kind_at(place, root) : nature_of(place);
      if (kind) report({number, place.op, *kind, place.g});
    }
    for (const NodeId id : behind) look_for_root(number, id);
  }

  std::vector<Kink> take() { return std::move(found_); }

 private:
  void report(const Kink& kink) {
    const auto begin = found_.begin() + static_cast<std::ptrdiff_t>(found_before_);
    const bool is_known = std::any_of(begin, found_.end(), [&](const Kink& other) {
      return other.kind == kink.kind && other.place == kink.place;
    });
    if (!is_known) found_.push_back(kink);
  }

  void collect_place(NodeId id) {
    const Node node = graph_.node(id);
    if (!switches(node.op)) return;
    const std::uint64_t value = knowledge_.switching_value(node);
    const std::uint64_t opposite = residue::negative(value);
    const bool is_floor = node.op == Op::floor;
    const bool is_known = std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
      return place.is_of_floor() == is_floor &&
             (place.value == value || (!is_floor && place.value == opposite));
    });
    if (is_known) return;
    const Expression a = graph_.at(node.a);
    const Expression g = compares(node.op) ? a - graph_.at(node.b) : a;
    const Facts facts = knowledge_.of(g.id());
    if (facts.moves && (is_floor || can_switch_at_zero(facts))) {
      places_.push_back({node.op, g, value, {}});
    }
  }

  // What is flat passes zero only where something inside it jumps, which is a place itself. What
  // only touches zero does not switch there, unless it is zero all along one side, as max(x, 0).
  static bool can_switch_at_zero(const Facts& g) {
    if (g.is_flat || g.signs.excludes_zero()) return false;
    return g.has_switch || g.signs.crosses_zero();
  }

  // A point where g is zero. Where g is linear in an input, with a slope that is never zero, the
  // surface is in one piece, and the input is solved for. Else g itself is taken as zero, whatever
  // it is made of: what is true then is true on the surface.
  void move_to_surface(Place& place) {
    const std::uint64_t wanted = place.is_of_floor() ? some_whole_number : 0;
    const NodeId id = place.g.id();
    constexpr std::size_t most_tries = 8;
    std::size_t tries = 0;
    for (const NodeId input : reachable(graph_, {&id, 1})) {
      if (graph_.node(input).op != Op::input) continue;
      if (++tries > most_tries) break;
      const Expression slope = derivative(place.g, graph_.at(input));
      const Expression variable = graph_.at(input);
      const Facts facts = knowledge_.of(slope.id());
      if (!facts.signs.excludes_zero() || depends_on(slope, {&variable, 1})) continue;
      const std::uint64_t missing =
          residue::add(wanted, residue::negative(knowledge_.of(id).value));
      const std::uint64_t move = residue::times(missing, residue::inverse(facts.value));
      place.point = {{input, residue::add(knowledge_.of(input).value, move)}};
      if (Side(graph_, knowledge_, place, true).values({&id, 1}).front() == Residue(wanted)) return;
    }
    place.point.clear();
    fix(place, id, wanted);
  }

  // A node and, as far as constants alone stand between, what it is made of.
  void fix(Place& place, NodeId id, std::uint64_t value) {
    place.point[id] = value;
    const Node& node = graph_.node(id);
    if (node.op == Op::neg) return fix(place, node.a, residue::negative(value));
    if (node.op != Op::add && node.op != Op::sub && node.op != Op::mul) return;
    const bool is_first = graph_.node(node.a).op == Op::constant;
    if (!is_first && graph_.node(node.b).op != Op::constant) return;
    const NodeId other = is_first ? node.b : node.a;
    const std::uint64_t constant = knowledge_.of(is_first ? node.a : node.b).value;
    if (node.op == Op::add) fix(place, other, residue::add(value, residue::negative(constant)));
    if (node.op == Op::mul) fix(place, other, residue::times(value, residue::inverse(constant)));
    if (node.op != Op::sub) return;
    fix(place, other,
        is_first ? residue::add(constant, residue::negative(value))
                 : residue::add(value, constant));
  }

  enum class Difference { none, finite, infinite };
  [[nodiscard]] Difference difference(const Place& place, std::span<const NodeId> expressions) {
    const std::vector<Residue> above = Side(graph_, knowledge_, place, true).values(expressions);
    const std::vector<Residue> below = Side(graph_, knowledge_, place, false).values(expressions);
    Difference result = Difference::none;
    for (std::size_t i = 0; i < above.size(); ++i) {
      if (!above[i] || !below[i]) return Difference::infinite;
      if (above[i] != below[i]) result = Difference::finite;
    }
    return result;
  }

  [[nodiscard]] std::optional<KinkKind> kind_at(const Place& place, NodeId root) {
    if (difference(place, {&root, 1}) != Difference::none) return KinkKind::jump;
    if (first_.empty()) first_ = ids_of(gradient(graph_.at(root), inputs_));
    const Difference of_slopes = difference(place, first_);
    if (of_slopes == Difference::infinite) return KinkKind::root;
    if (of_slopes == Difference::finite) return KinkKind::kink;
    if (inputs_.size() > most_second_derivatives) return KinkKind::bend;
    if (second_.empty()) {
      for (const NodeId slope : first_) {
        const std::vector<NodeId> row = ids_of(gradient(graph_.at(slope), inputs_));
        second_.insert(second_.end(), row.begin(), row.end());
      }
    }
    if (difference(place, second_) != Difference::none) return KinkKind::bend;
    return std::nullopt;
  }

  [[nodiscard]] static KinkKind nature_of(const Place& place) {
    return jumps_alone(place.op) ? KinkKind::jump : KinkKind::kink;
  }

  void look_for_root(std::size_t number, NodeId id) {
    const Node node = graph_.node(id);
    if (!has_root(node.op)) return;
    const Facts facts = knowledge_.of(node.a);
    if (!facts.moves || facts.is_flat || facts.signs.excludes_zero()) return;
    KinkKind kind = KinkKind::root;
    if (const Node& exponent = graph_.node(node.b);
        node.op == Op::pow && exponent.op == Op::constant) {
      if (exponent.value < 0.0 || exponent.value >= 2.0) return;
      if (exponent.value > 1.0) kind = KinkKind::bend;
    }
    const Node& argument = graph_.node(node.a);
    report({number, node.op, kind, graph_.at(argument.op == Op::abs ? argument.a : node.a)});
  }

  Graph& graph_;
  Knowledge knowledge_;
  std::vector<Kink> found_;
  // Of the root that is looked at.
  std::size_t found_before_ = 0;
  std::vector<Expression> inputs_;
  std::vector<Place> places_;
  std::vector<NodeId> first_;   // derivatives
  std::vector<NodeId> second_;  // derivatives
};

}  // namespace
}  // namespace graph

std::string_view name_of(KinkKind kind) {
  switch (kind) {
    case KinkKind::jump:
      return "jump";
    case KinkKind::kink:
      return "kink";
    case KinkKind::root:
      return "root";
    case KinkKind::bend:
      return "bend";
  }
  return "unknown";
}

std::vector<Kink> find_kinks(Graph& graph, std::span<const NodeId> roots,
                             std::span<const Expression> inputs,
                             std::span<const Expression> positive) {
  const std::vector<NodeId> behind = reachable(graph, roots);
  const bool is_smooth = std::none_of(behind.begin(), behind.end(), [&](NodeId id) {
    const Op op = graph.node(id).op;
    return graph::switches(op) || graph::has_root(op);
  });
  if (is_smooth) return {};
  graph::Search search(graph, inputs, positive);
  for (std::size_t i = 0; i < roots.size(); ++i) search.look_at(i, roots[i]);
  return search.take();
}

}  // namespace divker
