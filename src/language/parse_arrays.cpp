#include "language/parse_arrays.hpp"

#include <fmt/format.h>

#include <utility>

namespace divker {
namespace {

void parse_list(ExpressionParser& in, Statement& s) {
  s.is_list = true;
  do {
    s.values.push_back(in.expression());
  } while (in.accept(","));
  in.expect("]", "the list");
}

}  // namespace

void parse_sizes(ExpressionParser& in, Declarator& declarator) {
  if (!in.accept("[")) return;
  std::vector<Syntax> sizes = in.indices();
  declarator.size = std::move(sizes.front());
  if (sizes.size() > 1) declarator.columns = std::move(sizes.back());
}

void parse_value_or_list(ExpressionParser& in, Statement& s) {
  if (in.accept("[")) return parse_list(in, s);
  s.values.push_back(in.expression());
}

void parse_values(ExpressionParser& in, Statement& s) {
  if (!in.peek().is("[") || !in.peek(1).is("[")) return parse_value_or_list(in, s);
  in.take();
  do {
    const Token& start = in.peek();
    in.expect("[", "the row before");
    const std::size_t before = s.values.size();
    parse_list(in, s);
    const std::size_t length = s.values.size() - before;
    if (before > 0 && length != s.row_length) {
      in.fail(start,
              fmt::format("This row has {} values, but the first has {}.", length, s.row_length));
    }
    s.row_length = length;
  } while (in.accept(","));
  in.expect("]", "the rows");
}

std::optional<Syntax> parse_bound(ExpressionParser& in) {
  const bool negative = in.peek().is("-") && in.peek(1).is("inf");
  if (!negative && !in.peek().is("inf")) return in.expression();
  if (negative) in.take();
  in.take();
  return std::nullopt;
}

void parse_bounds(ExpressionParser& in, std::optional<Syntax>& one,
                  std::vector<std::optional<Syntax>>& all) {
  if (!in.accept("[")) {
    one = parse_bound(in);
    return;
  }
  do {
    if (in.accept("[")) {
      do {
        all.push_back(parse_bound(in));
      } while (in.accept(","));
      in.expect("]", "the bounds of the row");
    } else {
      all.push_back(parse_bound(in));
    }
  } while (in.accept(","));
  in.expect("]", "the bounds");
}

}  // namespace divker
