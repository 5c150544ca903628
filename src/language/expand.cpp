#include "language/expand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "model/names.hpp"

namespace divker {
namespace {

constexpr double largest_index = 1e9;

bool mentions(const Syntax& syntax, const std::string& index) {
  if (syntax.kind == SyntaxKind::name && syntax.name == index) return true;
  return std::any_of(syntax.operands.begin(), syntax.operands.end(),
                     [&](const Syntax& operand) { return mentions(operand, index); });
}

}  // namespace

std::string Expander::where() const {
  std::string text;
  for (const auto& [name, value] : indices_) {
    text += fmt::format("{}{} = {}", text.empty() ? " for " : ", ", name, value);
  }
  return text;
}

// What is written out costs time even where it makes no new nodes.
void Expander::count(const Syntax& syntax) {
  constexpr std::size_t work_per_node = 8;
  const std::size_t most = source_.limits.nodes;
  if (graph_.size() > most || ++work_ > work_per_node * most) {
    source_.fail(syntax.offset,
                 fmt::format("The equations are too large: written out they come to more than {} "
                             "operations{}.",
                             most, where()));
  }
}

Expression Expander::expand(const Syntax& syntax) {
  count(syntax);
  Expression result;
  try {
    result = raw(syntax);
  } catch (const LanguageError&) {
    throw;
  } catch (const Error& error) {  // of the algebra, which knows no text
    source_.fail(syntax.offset, error.what());
  }
  if (result.is_constant() && !std::isfinite(result.node().value)) {
    source_.fail(syntax.offset,
                 fmt::format("The value of this expression is {}{}; it must be finite.",
                             result.node().value, where()));
  }
  return result;
}

Expression Expander::raw(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::number:
      return graph_.constant(syntax.value);
    case SyntaxKind::name:
      return name(syntax);
    case SyntaxKind::component:
      return component(syntax);
    case SyntaxKind::element:
    case SyntaxKind::dot:
    case SyntaxKind::network:
      return number_of(syntax, raw_array(syntax));
    case SyntaxKind::call:
      return syntax.function->decides ? choice(syntax) : call(syntax);
    case SyntaxKind::sum_over:
      return sum_over(syntax);
    case SyntaxKind::additive:
      return additive(syntax);
    case SyntaxKind::product:
      return product(syntax);
    case SyntaxKind::power:
      return pow(expand(syntax.operands[0]), expand(syntax.operands[1]));
    case SyntaxKind::negative:
      return -expand(syntax.operands[0]);
    case SyntaxKind::comparison:
    case SyntaxKind::conjunction:
    case SyntaxKind::disjunction:
    case SyntaxKind::negation:
      source_.fail(syntax.offset, std::string(comparison_misplaced));
  }
  return graph_.constant(0.0);
}

Expression Expander::call(const Syntax& syntax) {
  std::vector<Expression> arguments;
  for (const Syntax& operand : syntax.operands) arguments.push_back(expand(operand));
  return syntax.function->make(arguments);
}

// What is decided already is not expanded on the other side, which may be out of range or not
// finite: if(j < 9, x[j+1], 0).
Expression Expander::choice(const Syntax& syntax) {
  const Expression holds = condition(syntax.operands[0]);
  if (holds.is_constant()) return expand(syntax.operands[holds.is_zero() ? 2 : 1]);
  const std::array arguments{holds, expand(syntax.operands[1]), expand(syntax.operands[2])};
  return syntax.function->make(arguments);
}

Expression Expander::condition(const Syntax& syntax) {
  count(syntax);
  switch (syntax.kind) {
    case SyntaxKind::comparison:
      return comparison(syntax);
    case SyntaxKind::negation:
      return negated(condition(syntax.operands[0]));
    case SyntaxKind::conjunction:
    case SyntaxKind::disjunction: {
      Expression result = condition(syntax.operands[0]);
      for (std::size_t i = 1; i < syntax.operands.size(); ++i) {
        const Expression next = condition(syntax.operands[i]);
        result = syntax.kind == SyntaxKind::conjunction ? both(result, next) : either(result, next);
      }
      return result;
    }
    default:
      source_.fail(syntax.offset,
                   "A condition was expected here: a comparison, such as x > 0, or "
                   "several with and, or, not.");
  }
}

// A path meets a number in no interval of time: what is defined there alone would never be seen.
Expression Expander::comparison(const Syntax& syntax) {
  const Expression a = expand(syntax.operands[0]);
  const Expression b = expand(syntax.operands[1]);
  const std::string& symbol = syntax.name;
  if (symbol == ">") return exceeds(a, b);
  if (symbol == "<") return exceeds(b, a);
  if (symbol == ">=") return negated(exceeds(b, a));
  if (symbol == "<=") return negated(exceeds(a, b));
  if (!a.is_constant() || !b.is_constant()) {
    source_.fail(syntax.offset,
                 fmt::format("A path is never equal to a number: write <, <=, > or >=. '{}' "
                             "compares numbers, constants and indices.",
                             symbol));
  }
  const bool is_equal = a.node().value == b.node().value;
  return graph_.constant(is_equal == (symbol == "==") ? 1.0 : 0.0);
}

const Symbol& Expander::defined(const Syntax& syntax) const {
  const auto found = symbols_.find(syntax.name);
  if (found == symbols_.end() || found->second.values.empty()) {
    source_.fail(syntax.offset, fmt::format("{} is used before the line that defines it.",
                                            in_quotes(syntax.name)));
  }
  return found->second;
}

Expression Expander::name(const Syntax& syntax) {
  for (const auto& [index, value] : indices_) {
    if (index == syntax.name) return graph_.constant(static_cast<double>(value));
  }
  if (syntax.name == "t") return time_;
  if (syntax.name == "pi") return graph_.constant(std::numbers::pi);
  const Symbol& symbol = defined(syntax);
  if (!symbol.is_vector()) return symbol.values.front();
  return number_of(syntax, {symbol.shape, symbol.values});
}

Expression Expander::component(const Syntax& syntax) {
  const Symbol& symbol = defined(syntax);
  if (symbol.shape.size() != syntax.operands.size()) return number_of(syntax, raw_array(syntax));
  std::size_t at = 0;
  for (std::size_t k = 0; k < symbol.shape.size(); ++k) {
    const std::size_t n = symbol.shape[k];
    at = at * n + index_in(n, syntax, syntax.operands[k], symbol.periodic, k > 0);
  }
  return symbol.values[at];
}

Expression Expander::additive(const Syntax& syntax) {
  // Long sums are balanced for the sake of the kernel; short ones keep the order of the text.
  constexpr std::size_t longest_chain = 8;
  std::vector<Expression> terms;
  for (std::size_t i = 0; i < syntax.operands.size(); ++i) {
    const Expression term = expand(syntax.operands[i]);
    terms.push_back(syntax.operators[i] == '-' && syntax.operands.size() > longest_chain ? -term
                                                                                         : term);
  }
  if (terms.size() > longest_chain) return sum(graph_, terms);
  Expression result = terms.front();
  for (std::size_t i = 1; i < terms.size(); ++i) {
    result = syntax.operators[i] == '-' ? result - terms[i] : result + terms[i];
  }
  return result;
}

Expression Expander::product(const Syntax& syntax) {
  Expression result = graph_.constant(1.0);
  for (std::size_t i = 0; i < syntax.operands.size(); ++i) {
    const Expression factor = expand(syntax.operands[i]);
    if (syntax.operators[i] == '/' && factor.is_zero()) {
      source_.fail(syntax.operands[i].offset, fmt::format("This divisor is zero{}.", where()));
    }
    result = syntax.operators[i] == '/' ? result / factor : result * factor;
  }
  return result;
}

Expression Expander::sum_over(const Syntax& syntax) {
  const long long first = integer(syntax.operands[0], "first index of the sum");
  const long long last = integer(syntax.operands[1], "last index of the sum");
  if (last < first - 1) {
    source_.fail(syntax.operands[0].offset,
                 fmt::format("The sum goes from {} down to {}{}; the first index comes first.",
                             first, last, where()));
  }
  std::vector<Expression> terms;
  for (long long i = first; i <= last; ++i) {
    bind(syntax.name, i);
    terms.push_back(expand(syntax.operands[2]));
    release();
  }
  return sum(graph_, terms);
}

long long Expander::integer(const Syntax& syntax, const std::string& what) {
  const double value = index_value(syntax, what);
  if (!(std::fabs(value) <= largest_index)) {
    source_.fail(syntax.offset, fmt::format("The {} is {}{}; the limit is {}.", what, value,
                                            where(), largest_index));
  }
  if (value != std::floor(value)) {
    source_.fail(syntax.offset,
                 fmt::format("The {} is {}{}; it must be a whole number.", what, value, where()));
  }
  return static_cast<long long>(value);
}

double Expander::index_value(const Syntax& syntax, const std::string& what) {
  count(syntax);
  switch (syntax.kind) {
    case SyntaxKind::number:
      return syntax.value;
    case SyntaxKind::negative:
      return -index_value(syntax.operands[0], what);
    case SyntaxKind::additive: {
      double total = 0.0;
      for (std::size_t i = 0; i < syntax.operands.size(); ++i) {
        const double term = index_value(syntax.operands[i], what);
        total += syntax.operators[i] == '-' ? -term : term;
      }
      return total;
    }
    case SyntaxKind::product: {
      double result = 1.0;
      for (std::size_t i = 0; i < syntax.operands.size(); ++i) {
        const double factor = index_value(syntax.operands[i], what);
        result = syntax.operators[i] == '/' ? result / factor : result * factor;
      }
      return result;
    }
    case SyntaxKind::name:
    case SyntaxKind::component: {
      const Expression value = syntax.kind == SyntaxKind::name ? name(syntax) : component(syntax);
      if (value.is_constant()) return value.node().value;
      break;
    }
    default:
      break;
  }
  source_.fail(syntax.offset, fmt::format("The {} must be made of whole numbers, constants and "
                                          "indices with +, -, * and /.",
                                          what));
}

void Expander::collect_extents(const Syntax& syntax, const std::string& index, bool exact,
                               std::vector<std::pair<std::size_t, Extent>>& found) const {
  const auto collect = [&](const Shape& shape, std::size_t first, const std::string& name) {
    for (std::size_t k = first; k < std::min(first + shape.size(), syntax.operands.size()); ++k) {
      const Syntax& inside = syntax.operands[k];
      const bool bare = inside.kind == SyntaxKind::name && inside.name == index;
      if (exact ? bare : mentions(inside, index)) {
        found.push_back({syntax.offset, {shape[k - first], name}});
      }
    }
  };
  const auto symbol = symbols_.find(syntax.name);
  if (syntax.kind == SyntaxKind::component && symbol != symbols_.end()) {
    collect(symbol->second.shape, 0, syntax.name);
  }
  if (syntax.kind == SyntaxKind::element) collect(shape(syntax.operands[0]), 1, "the expression");
  for (const Syntax& operand : syntax.operands) collect_extents(operand, index, exact, found);
}

Expander::Extent Expander::extent_of(const Syntax& syntax, const std::string& index) const {
  std::vector<std::pair<std::size_t, Extent>> found;
  collect_extents(syntax, index, true, found);
  if (found.empty()) collect_extents(syntax, index, false, found);
  if (found.empty()) return {};
  const Extent& first = found.front().second;
  for (const auto& [offset, extent] : found) {
    if (extent.length == first.length) continue;
    source_.fail(offset,
                 fmt::format("The range of {0} is not clear: {1} has {2} components, {3} has {4}; "
                             "state the range as in let y[{0}, 0:9] = ...",
                             index, first.vector, first.length, extent.vector, extent.length));
  }
  return first;
}

}  // namespace divker
