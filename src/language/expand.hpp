// Syntax to expressions: names get their values, indices and sums are written out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "divker/expression.hpp"
#include "language/arrays.hpp"
#include "language/parser.hpp"
#include "language/source.hpp"
#include "language/syntax.hpp"

namespace divker {

struct Symbol {
  SymbolKind kind = SymbolKind::constant;
  Shape shape;
  bool periodic = false;
  std::vector<Expression> values;  // empty: not defined yet

  std::shared_ptr<const Network> network = {};  // of a network, whose values are its weights

  [[nodiscard]] bool is_vector() const { return !shape.empty(); }
};
using Symbols = std::map<std::string, Symbol, std::less<>>;

class Expander {
 public:
  Expander(const Source& source, Graph& graph, const Symbols& symbols, Expression time)
      : source_(source), graph_(graph), symbols_(symbols), time_(time) {}

  // Values of the free index for what follows.
  void bind(const std::string& index, long long value) { indices_.emplace_back(index, value); }
  void release() { indices_.pop_back(); }

  [[nodiscard]] Expression expand(const Syntax& syntax);
  // A constant expression.
  [[nodiscard]] double number(const Syntax& syntax) { return expand(syntax).node().value; }
  // A whole number made of numbers, constants and indices.
  [[nodiscard]] long long integer(const Syntax& syntax, const std::string& what);
  [[nodiscard]] Expression product(const Syntax& syntax);
  // The same where vectors and matrices may stand.
  [[nodiscard]] Array array(const Syntax& syntax);
  // The shape of its value, where the shapes inside fit.
  [[nodiscard]] Shape shape(const Syntax& syntax) const;

  // The range of a free index that is not given: the length of the vectors that it indexes.
  struct Extent {
    std::size_t length = 0;  // 0: it indexes nothing
    std::string vector;
  };
  [[nodiscard]] Extent extent_of(const Syntax& syntax, const std::string& index) const;

 private:
  [[nodiscard]] Expression raw(const Syntax& syntax);
  [[nodiscard]] Expression name(const Syntax& syntax);
  [[nodiscard]] Expression call(const Syntax& syntax);
  [[nodiscard]] Expression choice(const Syntax& syntax);
  [[nodiscard]] Expression condition(const Syntax& syntax);
  [[nodiscard]] Expression comparison(const Syntax& syntax);
  [[nodiscard]] Expression component(const Syntax& syntax);
  [[nodiscard]] Expression number_of(const Syntax& syntax, const Array& value) const;
  [[nodiscard]] Array raw_array(const Syntax& syntax);
  [[nodiscard]] Array network(const Syntax& syntax);
  [[nodiscard]] Array rows(const Syntax& syntax, Array value, bool periodic);
  [[nodiscard]] std::size_t index_in(std::size_t n, const Syntax& syntax, const Syntax& index,
                                     bool periodic, bool is_column);
  [[nodiscard]] Expression additive(const Syntax& syntax);
  [[nodiscard]] Expression sum_over(const Syntax& syntax);
  [[nodiscard]] double index_value(const Syntax& syntax, const std::string& what);
  [[nodiscard]] const Symbol& defined(const Syntax& syntax) const;
  void collect_extents(const Syntax& syntax, const std::string& index, bool exact,
                       std::vector<std::pair<std::size_t, Extent>>& found) const;
  // " for i = 3, j = 4" or nothing.
  [[nodiscard]] std::string where() const;
  void count(const Syntax& syntax);

  const Source& source_;
  Graph& graph_;
  const Symbols& symbols_;
  Expression time_;
  std::vector<std::pair<std::string, long long>> indices_;
  std::size_t work_ = 0;
  std::map<std::pair<std::string, std::vector<NodeId>>, std::vector<Expression>> calls_;
};

}  // namespace divker
