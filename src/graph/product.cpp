#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <unordered_map>

#include "divker/error.hpp"
#include "graph/terms.hpp"

namespace divker {
namespace graph {
namespace {

// Longer products are left as they were made.
constexpr std::size_t most_factors = 24;

// From so many terms on, sums among the terms of a sum are opened, until there are so many.
constexpr std::size_t fewest_terms_of_reduction = 4;
constexpr std::size_t most_terms = 100'000;

using Factors = std::vector<Expression>;

// The non-constant factors of a product; `coefficient` takes the constants. No recursion, and no
// more than most_factors open products: the depth of what a text can nest has no bound.
void collect(Expression e, Factors& factors, double& coefficient) {
  Factors open{e};
  while (!open.empty()) {
    const Expression next = open.back();
    open.pop_back();
    if (next.is_constant()) {
      coefficient = product_of_constants(coefficient, next.node().value);
    } else if (is_op(next, Op::neg)) {
      coefficient = -coefficient;
      open.push_back(first(next));
    } else if (is_op(next, Op::mul) && factors.size() + open.size() < most_factors) {
      open.push_back(second(next));
      open.push_back(first(next));
    } else {
      factors.push_back(next);
    }
  }
}

bool heavier(const Expression& a, const Expression& b) {
  const Graph& g = a.graph();
  const std::uint32_t weight_a = g.weight(a.id());
  const std::uint32_t weight_b = g.weight(b.id());
  return weight_a != weight_b ? weight_a > weight_b : a.id() < b.id();
}

bool take_out(Factors& factors, Expression wanted) {
  const auto found = std::find(factors.begin(), factors.end(), wanted);
  if (found == factors.end()) return false;
  factors.erase(found);
  return true;
}

// x (1/x) = 1 and sqrt(x) sqrt(x) = x.
void cancel(Factors& factors) {
  for (std::size_t k = 0; k < factors.size();) {
    const Expression e = factors[k];
    if (is_reciprocal(e) && take_out(factors, second(e))) {
      take_out(factors, e);
      k = 0;
    } else if (is_op(e, Op::sqrt) && std::count(factors.begin(), factors.end(), e) > 1) {
      take_out(factors, e);
      *std::find(factors.begin(), factors.end(), e) = first(e);
      k = 0;
    } else {
      ++k;
    }
  }
}

Expression bare(Expression a, Expression b) {
  if (a.id() > b.id()) std::swap(a, b);
  return make(a.graph(), Op::mul, a, b);
}

// base^exponent by squaring.
Expression power(Expression base, std::size_t exponent) {
  if (exponent == 1) return base;
  const Expression half = power(base, exponent / 2);
  const Expression square = bare(half, half);
  return exponent % 2 == 0 ? square : bare(base, square);
}

Expression multiply(Graph& g, Factors factors) {
  cancel(factors);
  if (factors.empty()) return g.constant(1.0);
  std::sort(factors.begin(), factors.end(), heavier);
  Factors powers;
  for (auto run = factors.begin(); run != factors.end();) {
    const auto end = std::find_if(run, factors.end(), [&](Expression e) { return e != *run; });
    powers.push_back(power(*run, static_cast<std::size_t>(end - run)));
    run = end;
  }
  std::sort(powers.begin(), powers.end(), heavier);
  Expression result = powers.front();
  for (std::size_t k = 1; k < powers.size(); ++k) result = bare(result, powers[k]);
  return result;
}

// A term of a sum, taken apart.
struct Term {
  double coefficient = 1.0;
  Factors factors;
};

Expression put_together(Graph& g, Term term) {
  return term.coefficient * multiply(g, std::move(term.factors));
}

Expression balanced(Graph& g, Factors level) {
  if (level.empty()) return g.constant(0.0);
  while (level.size() > 1) {
    Factors above;
    above.reserve(level.size() / 2 + 1);
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) above.push_back(level[i] + level[i + 1]);
    if (level.size() % 2 == 1) above.push_back(level.back());
    level = std::move(above);
  }
  return level.front();
}

// The terms with equal coefficients together, each group in one order, so that a sum over the same
// things is the same node wherever it appears, whatever it is multiplied with.
Expression grouped_sum(Graph& g, std::vector<Term> terms) {
  std::map<double, Factors> groups;
  double constant = 0.0;
  for (Term& term : terms) {
    if (term.factors.empty()) {
      constant += term.coefficient;
    } else {
      groups[term.coefficient].push_back(multiply(g, std::move(term.factors)));
    }
  }
  Factors values;
  for (auto& [coefficient, members] : groups) {
    std::sort(members.begin(), members.end(),
              [](const Expression& a, const Expression& b) { return a.id() < b.id(); });
    values.push_back(coefficient * balanced(g, std::move(members)));
  }
  if (constant != 0.0) values.push_back(g.constant(constant));
  return balanced(g, std::move(values));
}

// The factor that the most terms share, if at least two and half of them do.
const Expression* common_factor(const std::vector<Term>& terms) {
  std::unordered_map<NodeId, std::size_t> counts;
  const Expression* best = nullptr;
  std::size_t most = std::max<std::size_t>(2, (terms.size() + 1) / 2);
  for (const Term& term : terms) {
    for (auto factor = term.factors.begin(); factor != term.factors.end(); ++factor) {
      if (std::find(term.factors.begin(), factor, *factor) != factor) continue;
      const std::size_t count = ++counts[factor->id()];
      if (count > most || (count == most && (best == nullptr || heavier(*factor, *best)))) {
        most = count;
        best = &*factor;
      }
    }
  }
  return best;
}

// f (sum of what shares f, without it) + (the others), again and again.
Expression factored_sum(Graph& g, std::vector<Term> terms) {
  const Expression* shared = terms.size() < 2 ? nullptr : common_factor(terms);
  if (shared == nullptr) {
    return grouped_sum(g, std::move(terms));
  }
  const Expression factor = *shared;
  std::vector<Term> inside;
  std::vector<Term> outside;
  for (Term& term : terms) {
    (take_out(term.factors, factor) ? inside : outside).push_back(std::move(term));
  }
  const Expression product = factor * factored_sum(g, std::move(inside));
  return outside.empty() ? product : product + factored_sum(g, std::move(outside));
}

// e as a term or, if sums are to be opened, as the terms it is a sum of. Shared sums are opened
// wherever they stand, so that there is no bound on the number of terms but the given one: what
// comes then stays closed.
void add_terms(Expression sum, bool open_sums, std::vector<Term>& terms) {
  struct Part {
    Expression e;
    double coefficient;
  };
  std::vector<Part> open{{sum, 1.0}};
  while (!open.empty()) {
    const auto [e, coefficient] = open.back();
    open.pop_back();
    const bool opens = open_sums && terms.size() + open.size() < most_terms;
    if (opens && (is_op(e, Op::add) || is_op(e, Op::sub))) {
      open.push_back({second(e), is_op(e, Op::sub) ? -coefficient : coefficient});
      open.push_back({first(e), coefficient});
    } else if (opens && (is_op(e, Op::neg) || has_constant_factor(e))) {
      open.push_back({without_factor(e), coefficient * constant_factor(e)});
    } else {
      Term& term = terms.emplace_back();
      term.coefficient = coefficient;
      collect(e, term.factors, term.coefficient);
    }
  }
}

// Sums within sums that are being taken apart, of one thread. Long products that share factors
// nest as deep as they are long: each of their sums would be tried so many times.
thread_local int taken_apart = 0;
constexpr int most_taken_apart = 8;

struct Deeper {
  Deeper() { ++taken_apart; }
  ~Deeper() { --taken_apart; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
};

}  // namespace

double product_of_constants(double a, double b) {
  const double value = a * b;
  const bool is_lost = value == 0.0 ? a != 0.0 && b != 0.0 : std::isinf(value);
  if (is_lost && std::isfinite(a) && std::isfinite(b)) {
    throw Error(ErrorKind::model,
                fmt::format("The factors {} and {} of a product multiply to {}: that is beyond the "
                            "range of double precision.",
                            a, b, value));
  }
  return value;
}

Expression product_of_factors(Expression a, Expression b) {
  Factors factors;
  double coefficient = 1.0;
  collect(a, factors, coefficient);
  collect(b, factors, coefficient);
  a.graph().spend(factors.size());
  return coefficient * multiply(a.graph(), std::move(factors));
}

std::optional<Expression> sum_around_factor(Expression a, double sign, Expression b) {
  if (a.is_constant() || b.is_constant() || taken_apart >= most_taken_apart) return std::nullopt;
  const Deeper deeper;
  Graph& g = a.graph();
  Term left;
  Term right;
  collect(a, left.factors, left.coefficient);
  collect(b, right.factors, right.coefficient);
  g.spend(left.factors.size() + right.factors.size());
  right.coefficient *= sign;
  const auto shared = std::find_if(left.factors.begin(), left.factors.end(), [&](Expression e) {
    return std::find(right.factors.begin(), right.factors.end(), e) != right.factors.end();
  });
  if (shared == left.factors.end()) return std::nullopt;
  const Expression factor = *shared;
  take_out(left.factors, factor);
  take_out(right.factors, factor);
  const auto weight = [&g](const Factors& factors) {
    std::uint64_t total = 0;
    for (const Expression& e : factors) total += g.weight(e.id());
    return total;
  };
  const std::uint64_t kept = g.weight(factor.id());
  const std::uint64_t rest_left = weight(left.factors);
  const std::uint64_t rest_right = weight(right.factors);
  if (kept <= rest_left + rest_right && kept >= std::min(rest_left, rest_right)) {
    return std::nullopt;
  }
  return factor * (put_together(g, std::move(left)) + put_together(g, std::move(right)));
}

}  // namespace graph

Expression sum(Graph& g, std::span<const Expression> terms) {
  std::vector<graph::Term> parts;
  const bool is_reduction = terms.size() >= graph::fewest_terms_of_reduction;
  for (const Expression& e : terms) {
    if (!e.is_zero()) graph::add_terms(e, is_reduction, parts);
  }
  constexpr std::size_t nodes_per_term = 24;  // a term costs about as much as visiting so many
  g.spend(nodes_per_term * parts.size());
  return graph::factored_sum(g, std::move(parts));
}

}  // namespace divker
