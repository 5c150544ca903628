// Vectors and matrices where they may stand: what arithmetic makes of them, and their components.
#include <fmt/format.h>

#include <algorithm>

#include "language/expand.hpp"
#include "model/names.hpp"

namespace divker {

Shape Expander::shape(const Syntax& syntax) const {
  const auto without = [](const Shape& all, std::size_t indices) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), indices));
    return Shape(first, all.end());
  };
  Shape result;
  switch (syntax.kind) {
    case SyntaxKind::name:
    case SyntaxKind::component: {
      const auto found = symbols_.find(syntax.name);
      return found == symbols_.end() ? result
                                     : without(found->second.shape, syntax.operands.size());
    }
    case SyntaxKind::network: {
      const auto found = symbols_.find(syntax.name);
      return found == symbols_.end() ? result : found->second.shape;
    }
    case SyntaxKind::element:
      return without(shape(syntax.operands[0]), syntax.operands.size() - 1);
    case SyntaxKind::negative:
    case SyntaxKind::additive:
    case SyntaxKind::call:
      for (const Syntax& operand : syntax.operands) {
        if (result.empty()) result = shape(operand);
      }
      return result;
    case SyntaxKind::product:
      for (const Syntax& operand : syntax.operands) {
        Shape next = shape(operand);
        if (next.empty()) continue;
        if (!result.empty()) next.front() = result.front();
        result = next;
      }
      return result;
    default:
      return result;
  }
}

Array Expander::array(const Syntax& syntax) {
  if (shape(syntax).empty()) return {{}, {expand(syntax)}};
  count(syntax);
  try {
    return raw_array(syntax);
  } catch (const LanguageError&) {
    throw;
  } catch (const Error& error) {  // shapes that do not fit
    source_.fail(syntax.offset, error.what());
  }
}

Array Expander::raw_array(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::name: {
      const Symbol& symbol = defined(syntax);
      return {symbol.shape, symbol.values};
    }
    case SyntaxKind::component: {
      const Symbol& symbol = defined(syntax);
      if (!symbol.is_vector()) {
        source_.fail(syntax.offset, fmt::format("{} is not a vector and has no components.",
                                                in_quotes(syntax.name)));
      }
      return rows(syntax, {symbol.shape, symbol.values}, symbol.periodic);
    }
    case SyntaxKind::element:
      return rows(syntax, array(syntax.operands[0]), false);
    case SyntaxKind::network:
      return network(syntax);
    case SyntaxKind::dot:
      return dot(array(syntax.operands[0]), array(syntax.operands[1]));
    case SyntaxKind::negative:
      return divker::negative(array(syntax.operands[0]));
    case SyntaxKind::additive: {
      Array result = array(syntax.operands[0]);
      for (std::size_t i = 1; i < syntax.operands.size(); ++i) {
        const Array next = array(syntax.operands[i]);
        result = syntax.operators[i] == '-' ? difference(result, next) : sum(result, next);
      }
      return result;
    }
    case SyntaxKind::product: {
      Array result = array(syntax.operands[0]);
      for (std::size_t i = 1; i < syntax.operands.size(); ++i) {
        const Array next = array(syntax.operands[i]);
        result =
            syntax.operators[i] == '/' ? quotient(result, next) : divker::product(result, next);
      }
      return result;
    }
    case SyntaxKind::call:
      if (syntax.operands.size() == 1) return mapped(*syntax.function, array(syntax.operands[0]));
      break;
    default:
      break;
  }
  return {{}, {expand(syntax)}};
}

std::size_t Expander::index_in(std::size_t n, const Syntax& syntax, const Syntax& index,
                               bool periodic, bool is_column) {
  const auto length = static_cast<long long>(n);
  long long i = integer(index, "index");
  if (periodic) i = (i % length + length) % length;
  if (i >= 0 && i < length) return static_cast<std::size_t>(i);
  const auto symbol = symbols_.find(syntax.name);
  if (syntax.kind != SyntaxKind::component || symbol == symbols_.end()) {
    source_.fail(index.offset, fmt::format("The index is {}{}, but it must be from 0 to {}.", i,
                                           where(), length - 1));
  }
  if (symbol->second.shape.size() == 2) {
    source_.fail(index.offset,
                 fmt::format("The index of {} is {}{}, but {} has {} {}.", syntax.name, i, where(),
                             syntax.name, n, is_column ? "columns" : "rows"));
  }
  source_.fail(
      index.offset,
      fmt::format("The index of {0} is {1}{2}, but {0} has {3} components, {0}[0] to "
                  "{0}[{4}]{5}.",
                  syntax.name, i, where(), n, n - 1,
                  symbol->second.kind == SymbolKind::state ? ", and is not periodic" : ""));
}

Array Expander::rows(const Syntax& syntax, Array value, bool periodic) {
  const std::size_t first = syntax.kind == SyntaxKind::element ? 1 : 0;
  const std::size_t indices = syntax.operands.size() - first;
  if (indices > value.shape.size()) {
    source_.fail(syntax.operands.back().offset,
                 fmt::format("This index is one too many for {}.", in_words(value.shape)));
  }
  for (std::size_t k = 0; k < indices; ++k) {
    const Syntax& index = syntax.operands[first + k];
    value = row(value, index_in(value.shape.front(), syntax, index, periodic, k > 0));
  }
  return value;
}

Expression Expander::number_of(const Syntax& syntax, const Array& value) const {
  if (value.is_number()) return value.values.front();
  const std::string& name = syntax.name;
  const std::size_t n = value.shape.front();
  if (syntax.kind == SyntaxKind::name && value.shape.size() == 1) {
    source_.fail(
        syntax.offset,
        fmt::format("{0} is a vector of {1}: write {0}[0] for a component or sum(i, 0:{2}, "
                    "{0}[i]) for all of them.",
                    name, n, n - 1));
  }
  if (syntax.kind == SyntaxKind::name) {
    source_.fail(syntax.offset, fmt::format("{0} is a matrix of {1} x {2}: write {0}[0, 0] for a "
                                            "component.",
                                            name, n, value.shape.back()));
  }
  source_.fail(syntax.offset,
               fmt::format("A number was expected here, but this is {}; write its index.",
                           in_words(value.shape)));
}

}  // namespace divker
