#include "language/estimates.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "language/parse_arrays.hpp"

namespace divker {
namespace {

// What the model finds at fault is reported at this place.
template <class Act>
auto reported(const Source& source, std::size_t offset, Act&& act) -> decltype(act()) {
  try {
    return act();
  } catch (const LanguageError&) {
    throw;
  } catch (const Error& error) {
    source.fail(offset, error.what());
  }
}

}  // namespace

Label parse_label(const Source& source, ExpressionParser& in) {
  const Token& words = in.take();
  if (words.text.empty()) in.fail(words, "A label in double quotes is not empty.");
  Label result{std::string(words.text), {}};
  if (!in.accept("[")) return result;
  const Token& first = in.peek();
  if (first.kind == TokenKind::string && in.peek(1).is("]")) {
    result.unit = first.text;
    in.take();
  } else {
    std::size_t end = first.offset;
    while (!in.peek().is("]")) {
      const Token& token = in.take();
      end = token.offset + token.text.size();
    }
    result.unit = source.text.substr(first.offset, end - first.offset);
  }
  in.expect("]", "the unit");
  return result;
}

void parse_estimate(const Source& source, ExpressionParser& in, Statement& s) {
  const Token& token = in.take();
  if (token.kind != TokenKind::identifier) {
    in.fail(token, fmt::format("The name of a parameter was expected, but {} was found.",
                               ExpressionParser::shown(token)));
  }
  s.target.name = token.text;
  s.target.offset = token.offset;
  if (in.accept("[")) {
    while (!in.peek().is("]") && in.peek().kind != TokenKind::newline) in.take();
    const Token& close = in.peek();
    in.expect("]", "the index");
    s.target.name = source.text.substr(token.offset, close.offset + 1 - token.offset);
  }
  in.expect("+", "the parameter");
  in.expect("-", "'+'");
  s.values.push_back(in.expression());
  if (!in.accept("correlations")) return;
  if (!in.peek().is("[")) {
    in.fail(in.peek(),
            "The correlations with the estimates before were expected, as in "
            "correlations [0.5, -0.2].");
  }
  parse_value_or_list(in, s);
}

Model with_estimates(const Source& source, Expander& expander,
                     const std::vector<Statement>& statements, const Model& model) {
  std::vector<EstimateError> errors;
  Model result = model;
  for (const Statement& s : statements) {
    if (s.kind != StatementKind::estimated) continue;
    const auto parameters =
        reported(source, s.target.offset, [&] { return model.parameter_indices(s.target.name); });
    if (parameters.size() != 1) {
      source.fail(s.target.offset,
                  fmt::format("{0} is {1} numbers; each has an estimate of its own, as in "
                              "estimated {2} +- 0.1.",
                              s.target.name, parameters.size(),
                              model.parameters()[parameters.front()].name));
    }
    EstimateError one{parameters.front(), expander.number(s.values.front()), {}};
    for (std::size_t i = 1; i < s.values.size(); ++i) {
      one.correlations.push_back(expander.number(s.values[i]));
    }
    errors.push_back(std::move(one));
    result = reported(source, s.offset, [&] { return model.with_errors(errors); });
  }
  return result;
}

}  // namespace divker
