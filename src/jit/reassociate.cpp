#include "jit/reassociate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

namespace divker::jit {
namespace {

// A value of rate path is taken as common to all components if so many others use it and the tree
// behind it has as many nodes as there are components.
constexpr std::size_t uses_of_shared = 6;
// A product of two values is made anew in so many sums: within a multiply-add it costs nothing.
constexpr std::size_t uses_of_repeated = 3;
// From so many terms on a sum is a reduction: grouped by coefficient, in several chains.
constexpr std::size_t terms_of_reduction = 8;
constexpr std::size_t chains_of_reduction = 4;

// How far a value can be shared: what ranks below `own` serves as a coefficient.
enum class Rank { run, step, shared, own };

struct Sum;

// number * (product of factors) * (product of sums); factors in the order of multiplication.
struct Term {
  double number = 1.0;
  std::vector<NodeId> factors;
  std::vector<Sum> sums;
};

struct Sum {
  std::vector<Term> terms;
};

// A term in the new graph: +- coefficient * core[0] * core[1] ...; rank own if it has a core.
struct Piece {
  bool minus = false;
  Rank rank = Rank::own;
  std::optional<Expression> coefficient;
  std::vector<Expression> core;

  [[nodiscard]] bool is_product() const { return core.size() + (coefficient ? 1 : 0) > 1; }
};

struct Signed {
  Expression value;
  bool minus = false;
  Rank rank = Rank::own;
};

bool is_sum(Op op) { return op == Op::add || op == Op::sub || op == Op::neg; }

class Reassociation {
 public:
  explicit Reassociation(const Program& program);
  [[nodiscard]] Program rebuild(const Program& program);

 private:
  // Reading: the old graph as sums of terms.
  [[nodiscard]] Rank rank(NodeId id) const;
  [[nodiscard]] bool is_common(NodeId id) const { return rank(id) != Rank::own; }
  [[nodiscard]] bool stands_alone(NodeId id) const { return alone_[id]; }
  [[nodiscard]] bool is_repeatable(NodeId id) const;
  void limit_depth();
  void read_factor(NodeId id, Term& term) const;
  void read_sum(NodeId id, double number, Sum& sum) const;
  void read_addend(NodeId id, double number, Sum& sum) const;

  // Algebra: fewer operations.
  void sort_factors(Term& term) const;
  [[nodiscard]] std::size_t common_count(const Term& term) const;
  [[nodiscard]] bool takes_coefficient(const Term& term) const;
  [[nodiscard]] bool takes_coefficient(const Sum& sum) const;
  void multiply(Term& term, double number, std::span<const NodeId> common) const;
  void push_inwards(Term& term) const;
  void add(Term term, Sum& sum) const;
  void merge_sums(Sum& sum) const;
  void merge_like_terms(Sum& sum) const;

  // Writing: the new graph.
  [[nodiscard]] Expression times(Expression a, Expression b);
  [[nodiscard]] Expression product(const Piece& piece);
  [[nodiscard]] Piece write(const Term& term);
  [[nodiscard]] Signed write(Sum sum);
  [[nodiscard]] Piece common_part(std::vector<Piece>& pieces);
  void group_by_coefficient(std::vector<Piece>& pieces);
  [[nodiscard]] Signed chain(std::vector<Piece> pieces);
  [[nodiscard]] Signed chains(const std::vector<Piece>& pieces);
  [[nodiscard]] Expression positive(const Signed& value);
  [[nodiscard]] Expression copy(NodeId id);

  const Graph& source_;
  std::vector<NodeId> order_;
  std::vector<Rate> rates_;
  std::vector<std::size_t> uses_;
  std::size_t components_ = 0;  // of the longest result
  std::vector<bool> alone_;     // not merely a part of one sum or product
  std::shared_ptr<Graph> target_ = std::make_shared<Graph>();
  std::vector<Expression> inputs_;
  std::unordered_map<NodeId, Expression> copies_;
};

Reassociation::Reassociation(const Program& program)
    : source_(*program.graph),
      order_(reachable(source_, program.roots())),
      rates_(source_.size(), Rate::run),
      uses_(source_.size(), 0),
      alone_(source_.size(), false) {
  for (const Argument& argument : program.arguments) {
    for (const NodeId id : argument.inputs) rates_[id] = argument.rate();
  }
  for (const Result& result : program.results) {
    components_ = std::max(components_, result.values.size());
  }
  for (const NodeId id : program.roots()) {
    ++uses_[id];
    alone_[id] = true;
  }
  for (const NodeId id : order_) {
    const Node& node = source_.node(id);
    if (is_leaf(node.op)) continue;
    const auto read = [&](NodeId operand) {
      ++uses_[operand];
      rates_[id] = std::max(rates_[id], rates_[operand]);
      if (!is_sum(node.op) && node.op != Op::mul) alone_[operand] = true;
    };
    read(node.a);
    if (is_binary(node.op)) read(node.b);
  }
  for (const NodeId id : order_) {
    const Op op = source_.node(id).op;
    if (uses_[id] > 1 || (!is_sum(op) && op != Op::mul)) alone_[id] = true;
  }
  limit_depth();
}

// Reading recurses into what does not stand alone, so that every so many levels something must.
void Reassociation::limit_depth() {
  constexpr std::uint32_t deepest = 200;
  std::vector<std::uint32_t> depth(source_.size(), 0);
  for (const NodeId id : order_) {
    const Node& node = source_.node(id);
    if (is_leaf(node.op)) continue;
    const auto below = [&](NodeId operand) { return alone_[operand] ? 0 : depth[operand]; };
    depth[id] = 1 + std::max(below(node.a), is_binary(node.op) ? below(node.b) : 0);
    if (depth[id] >= deepest) alone_[id] = true;
  }
}

Rank Reassociation::rank(NodeId id) const {
  if (rates_[id] == Rate::run) return Rank::run;
  if (rates_[id] == Rate::step) return Rank::step;
  const bool is_shared = uses_[id] >= uses_of_shared && source_.weight(id) >= components_ &&
                         !is_leaf(source_.node(id).op);
  return is_shared ? Rank::shared : Rank::own;
}

bool Reassociation::is_repeatable(NodeId id) const {
  const Node& node = source_.node(id);
  return rates_[id] == Rate::path && uses_[id] <= uses_of_repeated && stands_alone(node.a) &&
         stands_alone(node.b) && source_.node(node.a).op != Op::mul &&
         source_.node(node.b).op != Op::mul;
}

void Reassociation::read_factor(NodeId id, Term& term) const {
  const Node& node = source_.node(id);
  if (node.op == Op::constant) {
    term.number *= node.value;
  } else if (node.op == Op::mul && (!stands_alone(id) || is_repeatable(id))) {
    read_factor(node.a, term);
    read_factor(node.b, term);
  } else if (is_sum(node.op) && !stands_alone(id)) {
    read_sum(id, 1.0, term.sums.emplace_back());
  } else {
    term.factors.push_back(id);
  }
}

void Reassociation::read_sum(NodeId id, double number, Sum& sum) const {
  const Node& node = source_.node(id);
  read_addend(node.a, node.op == Op::neg ? -number : number, sum);
  if (is_binary(node.op)) read_addend(node.b, node.op == Op::sub ? -number : number, sum);
}

void Reassociation::read_addend(NodeId id, double number, Sum& sum) const {
  if (is_sum(source_.node(id).op) && !stands_alone(id)) {
    read_sum(id, number, sum);
    return;
  }
  Term term;
  term.number = number;
  read_factor(id, term);
  sort_factors(term);
  add(std::move(term), sum);
}

// What is heavy is likely shared by many products and comes before what is light.
void Reassociation::sort_factors(Term& term) const {
  const auto key = [this](NodeId factor) {
    return std::make_tuple(rank(factor), ~source_.weight(factor), factor);
  };
  std::ranges::sort(term.factors, {}, key);
}

std::size_t Reassociation::common_count(const Term& term) const {
  const auto own = std::ranges::find_if(term.factors, [this](NodeId id) { return !is_common(id); });
  return static_cast<std::size_t>(own - term.factors.begin());
}

// Can the term be multiplied with a coefficient and cost no more than before? A coefficient of its
// own takes it, and so does a plain value, whose addition becomes a multiply-add.
bool Reassociation::takes_coefficient(const Term& term) const {
  if (std::abs(term.number) != 1.0 || common_count(term) > 0) return true;
  if (term.sums.empty()) return term.factors.size() <= 1;
  return term.sums.size() == 1 && takes_coefficient(term.sums.front());
}

bool Reassociation::takes_coefficient(const Sum& sum) const {
  return sum.terms.size() < terms_of_reduction &&
         std::ranges::all_of(sum.terms, [this](const Term& t) { return takes_coefficient(t); });
}

void Reassociation::multiply(Term& term, double number, std::span<const NodeId> common) const {
  term.number *= number;
  term.factors.insert(term.factors.end(), common.begin(), common.end());
  sort_factors(term);
  push_inwards(term);
}

// c x (a + b) becomes x (c a + c b) where that is free.
void Reassociation::push_inwards(Term& term) const {
  const std::size_t common = common_count(term);
  const bool has_coefficient = std::abs(term.number) != 1.0 || common > 0;
  if (term.sums.size() != 1 || !has_coefficient || !takes_coefficient(term.sums.front())) return;
  for (Term& inner : term.sums.front().terms) {
    multiply(inner, term.number, std::span(term.factors).first(common));
  }
  term.number = 1.0;
  term.factors.erase(term.factors.begin(),
                     term.factors.begin() + static_cast<std::ptrdiff_t>(common));
}

// c (a + b) as two terms where that is free.
void Reassociation::add(Term term, Sum& sum) const {
  push_inwards(term);
  const bool is_bare = term.sums.size() == 1 && term.factors.empty() && term.number == 1.0;
  if (!is_bare) {
    sum.terms.push_back(std::move(term));
    return;
  }
  for (Term& inner : term.sums.front().terms) sum.terms.push_back(std::move(inner));
}

// c (a + b) +- c (d + e) = c (a + b +- d +- e).
void Reassociation::merge_sums(Sum& sum) const {
  std::map<std::pair<double, std::vector<NodeId>>, std::size_t> places;
  std::vector<Term> merged;
  for (Term& term : sum.terms) {
    if (term.sums.size() != 1 || common_count(term) != term.factors.size()) {
      merged.push_back(std::move(term));
      continue;
    }
    const auto [place, is_new] =
        places.try_emplace({std::abs(term.number), term.factors}, merged.size());
    if (is_new) {
      merged.push_back(std::move(term));
      continue;
    }
    Term& first = merged[place->second];
    for (Term& inner : term.sums.front().terms) {
      if ((term.number < 0.0) != (first.number < 0.0)) inner.number = -inner.number;
      first.sums.front().terms.push_back(std::move(inner));
    }
  }
  sum.terms = std::move(merged);
}

// c x + d x = (c + d) x, where c and d are coefficients and x a product of others.
void Reassociation::merge_like_terms(Sum& sum) const {
  std::map<std::vector<NodeId>, std::size_t> places;
  std::vector<std::vector<Term>> groups;
  std::vector<Term> merged;
  for (Term& term : sum.terms) {
    if (!term.sums.empty()) {
      merged.push_back(std::move(term));
      continue;
    }
    const auto own = term.factors.begin() + static_cast<std::ptrdiff_t>(common_count(term));
    const auto [place, is_new] =
        places.try_emplace(std::vector<NodeId>(own, term.factors.end()), groups.size());
    if (is_new) groups.emplace_back();
    term.factors.erase(own, term.factors.end());
    groups[place->second].push_back(std::move(term));
  }
  for (const auto& [own, group] : places) {
    Sum coefficients;
    double number = 0.0;
    for (Term& term : groups[group]) {
      if (term.factors.empty()) {
        number += term.number;
      } else {
        coefficients.terms.push_back(std::move(term));
      }
    }
    if (own.empty()) {
      for (Term& term : coefficients.terms) merged.push_back(std::move(term));
      if (number != 0.0) merged.push_back({number, {}, {}});
      continue;
    }
    if (coefficients.terms.empty()) {
      if (number != 0.0) merged.push_back({number, own, {}});
      continue;
    }
    if (number != 0.0) coefficients.terms.push_back({number, {}, {}});
    Term term;
    if (coefficients.terms.size() == 1) {
      term = std::move(coefficients.terms.front());
    } else {
      term.sums.push_back(std::move(coefficients));
    }
    term.factors.insert(term.factors.end(), own.begin(), own.end());
    merged.push_back(std::move(term));
  }
  sum.terms = std::move(merged);
}

Expression Reassociation::times(Expression a, Expression b) {
  if (a.id() > b.id()) std::swap(a, b);
  return target_->binary(Op::mul, a, b);
}

Expression Reassociation::product(const Piece& piece) {
  std::optional<Expression> result = piece.coefficient;
  for (const Expression factor : piece.core) result = result ? times(*result, factor) : factor;
  return *result;
}

Piece Reassociation::write(const Term& term) {
  Piece piece;
  piece.minus = std::signbit(term.number);
  piece.rank = Rank::run;
  std::array<std::vector<Expression>, 4> factors;  // by rank
  const double number = std::abs(term.number);
  if (number != 1.0) factors[0].push_back(target_->constant(number));
  for (const NodeId id : term.factors) {
    factors[static_cast<std::size_t>(rank(id))].push_back(copies_.at(id));
  }
  for (const Sum& sum : term.sums) {
    const Signed value = write(sum);
    piece.minus = piece.minus != value.minus;
    factors[static_cast<std::size_t>(value.rank)].push_back(value.value);
  }
  for (const Rank common : {Rank::run, Rank::step, Rank::shared}) {
    for (const Expression factor : factors[static_cast<std::size_t>(common)]) {
      piece.coefficient = piece.coefficient ? times(*piece.coefficient, factor) : factor;
      piece.rank = common;
    }
  }
  piece.core = std::move(factors.back());
  if (!piece.core.empty()) piece.rank = Rank::own;
  if (piece.core.empty() && !piece.coefficient) piece.coefficient = target_->constant(1.0);
  return piece;
}

// Takes out the terms without a core and adds them up, in the order of their rates.
Piece Reassociation::common_part(std::vector<Piece>& pieces) {
  std::vector<Piece> common;
  std::erase_if(pieces, [&common](const Piece& piece) {
    if (piece.rank != Rank::own) common.push_back(piece);
    return piece.rank != Rank::own;
  });
  std::ranges::sort(common, {}, [](const Piece& p) {
    return std::make_tuple(p.rank, p.minus, p.coefficient->id());
  });
  Piece result;
  for (const Piece& piece : common) {
    if (!result.coefficient) {
      result = piece;
      continue;
    }
    const Op op = piece.minus == result.minus ? Op::add : Op::sub;
    if (op == Op::sub && result.minus) {
      result.coefficient = target_->binary(op, *piece.coefficient, *result.coefficient);
      result.minus = false;
    } else {
      result.coefficient = target_->binary(op, *result.coefficient, *piece.coefficient);
    }
    result.rank = piece.rank;
  }
  return result;
}

// A chain of multiply-adds, begun by what is no product.
Signed Reassociation::chain(std::vector<Piece> pieces) {
  std::ranges::stable_sort(pieces, {},
                           [](const Piece& p) { return std::make_tuple(p.is_product(), p.minus); });
  auto first = std::ranges::find_if(pieces, [](const Piece& p) { return !p.minus; });
  const bool minus = first == pieces.end();
  if (minus) first = pieces.begin();
  std::rotate(pieces.begin(), first, first + 1);
  Expression result = product(pieces.front());
  for (std::size_t k = 1; k < pieces.size(); ++k) {
    const Op op = pieces[k].minus == minus ? Op::add : Op::sub;
    result = target_->binary(op, result, product(pieces[k]));
  }
  return {result, minus, Rank::own};
}

// Several chains side by side, which do not wait for each other.
Signed Reassociation::chains(const std::vector<Piece>& pieces) {
  if (pieces.size() < terms_of_reduction) return chain(pieces);
  std::vector<Piece> ends;
  for (std::size_t first = 0; first < chains_of_reduction; ++first) {
    std::vector<Piece> part;
    for (std::size_t k = first; k < pieces.size(); k += chains_of_reduction) {
      part.push_back(pieces[k]);
    }
    const Signed end = chain(std::move(part));
    ends.push_back({end.minus, Rank::own, std::nullopt, {end.value}});
  }
  return chain(std::move(ends));
}

// Many terms with one coefficient become one term, whose core is a reduction in one fixed order.
void Reassociation::group_by_coefficient(std::vector<Piece>& pieces) {
  constexpr NodeId none = ~NodeId{0};
  std::map<std::pair<bool, NodeId>, std::vector<Piece>> groups;
  for (Piece& piece : pieces) {
    const NodeId coefficient = piece.coefficient ? piece.coefficient->id() : none;
    groups[{piece.minus, coefficient}].push_back(std::move(piece));
  }
  pieces.clear();
  for (auto& [key, group] : groups) {
    if (group.size() < terms_of_reduction) {
      for (Piece& piece : group) pieces.push_back(std::move(piece));
      continue;
    }
    Piece whole{key.first, Rank::own, group.front().coefficient, {}};
    for (Piece& piece : group) {
      piece.minus = false;
      piece.coefficient.reset();
    }
    std::ranges::sort(group, {}, [](const Piece& piece) {
      std::vector<NodeId> ids;
      for (const Expression factor : piece.core) ids.push_back(factor.id());
      return ids;
    });
    whole.core.push_back(chains(group).value);
    pieces.push_back(std::move(whole));
  }
}

Signed Reassociation::write(Sum sum) {
  merge_sums(sum);
  merge_like_terms(sum);
  std::vector<Piece> pieces;
  for (const Term& term : sum.terms) pieces.push_back(write(term));
  if (pieces.empty()) return {target_->constant(0.0), false, Rank::run};
  const Piece common = common_part(pieces);
  if (pieces.empty()) return {*common.coefficient, common.minus, common.rank};
  if (pieces.size() >= terms_of_reduction) group_by_coefficient(pieces);
  if (common.coefficient) pieces.insert(pieces.begin(), common);
  return chains(pieces);
}

Expression Reassociation::positive(const Signed& value) {
  return value.minus ? target_->unary(Op::neg, value.value) : value.value;
}

Expression Reassociation::copy(NodeId id) {
  const Node& node = source_.node(id);
  if (node.op == Op::constant) return target_->constant(node.value);
  if (node.op == Op::input) return inputs_[node.a];
  if (node.op == Op::mul || is_sum(node.op)) {
    Sum sum;
    if (node.op == Op::mul) {
      Term term;
      read_factor(node.a, term);
      read_factor(node.b, term);
      sort_factors(term);
      add(std::move(term), sum);
    } else {
      read_sum(id, 1.0, sum);
    }
    return positive(write(std::move(sum)));
  }
  const Expression a = copies_.at(node.a);
  return is_binary(node.op) ? target_->binary(node.op, a, copies_.at(node.b))
                            : target_->unary(node.op, a);
}

Program Reassociation::rebuild(const Program& program) {
  for (std::size_t number = 0; number < source_.input_count(); ++number) {
    inputs_.push_back(target_->input(source_.input_name(number)));
  }
  for (const NodeId id : order_) {
    if (stands_alone(id)) copies_.emplace(id, copy(id));
  }
  Program result = program;
  for (Argument& argument : result.arguments) {
    for (NodeId& id : argument.inputs) id = inputs_[source_.node(id).a].id();
  }
  for (Result& values : result.results) {
    for (NodeId& id : values.values) id = copies_.at(id).id();
  }
  result.graph = target_;
  return result;
}

}  // namespace

Program reassociated(const Program& program) { return Reassociation(program).rebuild(program); }

}  // namespace divker::jit
