#include "language/expression_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/names.hpp"

namespace divker {

struct ExpressionParser::Deeper {
  Deeper(ExpressionParser& parser, const Token& token) : parser_(parser) { parser_.enter(token); }
  ~Deeper() { --parser_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  ExpressionParser& parser_;
};

void ExpressionParser::enter(const Token& token) {
  if (++depth_ > source_.limits.nesting) {
    --depth_;
    fail(token, fmt::format("Expressions are nested more than {} deep.", source_.limits.nesting));
  }
}

void ExpressionParser::fail(const Token& token, const std::string& message) const {
  source_.fail(token.offset, message);
}

std::string ExpressionParser::shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::newline:
      return "the end of the line";
    case TokenKind::end:
      return "the end of the text";
    case TokenKind::string:
      return "a string";
    default:
      return in_quotes(token.text);
  }
}

bool ExpressionParser::accept(std::string_view symbol) {
  if (!peek().is(symbol)) return false;
  take();
  return true;
}

void ExpressionParser::expect(std::string_view symbol, const std::string& after) {
  if (accept(symbol)) return;
  fail(peek(),
       fmt::format("'{}' was expected after {}, but {} was found.", symbol, after, shown(peek())));
}

bool ExpressionParser::is_index(std::string_view name) const {
  return std::find(indices_.begin(), indices_.end(), name) != indices_.end();
}

bool ExpressionParser::is_noise(const Token& token) const {
  if (token.kind != TokenKind::identifier || is_declared(token.text) || is_index(token.text)) {
    return false;
  }
  if (!noise_allowed_ || context_ != Context::everything) return false;
  if (dynamics_ == Dynamics::map) return token.text.starts_with("xi");
  return token.text.size() > 1 && token.text.front() == 'd' && token.text != "dot";
}

// The o of S o dW, which may be the name of something all the same.
bool ExpressionParser::is_circle(const Token& token, const Token& next) const {
  return dynamics_ == Dynamics::sde && token.is("o") && !is_declared(token.text) &&
         !is_index(token.text) && is_noise(next) && next.text != "dt";
}

void ExpressionParser::bind_index(const Token& token) {
  if (token.kind != TokenKind::identifier) {
    fail(token, fmt::format("The name of an index was expected, such as i, but {} was found.",
                            shown(token)));
  }
  const auto found = declarations_.find(token.text);
  if (found != declarations_.end()) {
    fail(token, fmt::format("{} is {}; a free index needs a name of its own.",
                            in_quotes(token.text), with_article(found->second.kind)));
  }
  if (is_index(token.text)) {
    fail(token, fmt::format("{} is already the index of an enclosing sum or equation.",
                            in_quotes(token.text)));
  }
  if (is_reserved(token.text)) {
    fail(token, fmt::format("{} is a word of the language and cannot be an index.",
                            in_quotes(token.text)));
  }
  indices_.emplace_back(token.text);
}

namespace {

bool is_comparison(const Token& token) {
  constexpr std::array symbols{"<", "<=", ">", ">=", "==", "!="};
  return token.kind == TokenKind::symbol &&
         std::find(symbols.begin(), symbols.end(), token.text) != symbols.end();
}

// A single operand stands for itself.
Syntax joined(SyntaxKind kind, std::vector<Syntax> operands) {
  if (operands.size() == 1) return std::move(operands.front());
  Syntax result;
  result.kind = kind;
  result.offset = operands.front().offset;
  result.operands = std::move(operands);
  return result;
}

}  // namespace

// Whether what it reads is a number or a condition is seen when it is expanded.
Syntax ExpressionParser::expression() {
  const Deeper deeper(*this, peek());
  std::vector<Syntax> operands;
  do {
    operands.push_back(conjunction());
  } while (accept("or") || accept("||"));
  return joined(SyntaxKind::disjunction, std::move(operands));
}

Syntax ExpressionParser::conjunction() {
  std::vector<Syntax> operands;
  do {
    operands.push_back(negation());
  } while (accept("and") || accept("&&"));
  return joined(SyntaxKind::conjunction, std::move(operands));
}

Syntax ExpressionParser::negation() {
  const Token& start = peek();
  if (!start.is("not") && !start.is("!")) return comparison();
  const Deeper deeper(*this, take());
  Syntax result;
  result.kind = SyntaxKind::negation;
  result.offset = start.offset;
  result.operands.push_back(negation());
  return result;
}

Syntax ExpressionParser::comparison() {
  Syntax left = additive();
  if (!is_comparison(peek())) return left;
  Syntax result;
  result.kind = SyntaxKind::comparison;
  result.offset = peek().offset;
  result.name = take().text;
  result.operands.push_back(std::move(left));
  result.operands.push_back(additive());
  if (is_comparison(peek())) {
    fail(peek(), "Two comparisons are joined by 'and', as in 0 < x and x < 1.");
  }
  return result;
}

Syntax ExpressionParser::additive() {
  const Token& start = peek();
  Syntax sum;
  sum.kind = SyntaxKind::additive;
  sum.offset = start.offset;
  sum.operators = "+";
  sum.operands.push_back(product());
  while (peek().is("+") || peek().is("-")) {
    sum.operators += take().text;
    sum.operands.push_back(product());
  }
  if (sum.operands.size() == 1) {
    Syntax only = std::move(sum.operands.front());
    return only;
  }
  return sum;
}

void ExpressionParser::check_end_of_product() const {
  const Token& token = peek();
  const bool starts_a_factor =
      token.kind == TokenKind::identifier || token.kind == TokenKind::number || token.is("(");
  if (!starts_a_factor || token.is("in") || token.is("fixed") || token.is("tamed") ||
      token.is("and") || token.is("or") || token.is("correlations")) {
    return;
  }
  if (is_noise(token)) misplaced_noise(token);
  fail(token, fmt::format("An operator was expected before {}; a product is written with *.",
                          shown(token)));
}

Syntax ExpressionParser::product() {
  Syntax result;
  result.kind = SyntaxKind::product;
  result.offset = peek().offset;
  result.operators = "*";
  result.operands.push_back(factor());
  while (peek().is("*") || peek().is("/")) {
    result.operators += take().text;
    result.operands.push_back(factor());
  }
  check_end_of_product();
  if (result.operands.size() == 1) {
    Syntax only = std::move(result.operands.front());
    return only;
  }
  return result;
}

Syntax ExpressionParser::factor() {
  const Token& start = peek();
  if (start.is("+") || start.is("-")) {
    const Deeper deeper(*this, start);
    if (take().is("+")) return factor();
    Syntax result;
    result.kind = SyntaxKind::negative;
    result.offset = start.offset;
    result.operands.push_back(factor());
    return result;
  }
  Syntax base = primary();
  if (!peek().is("^")) return base;
  const Deeper deeper(*this, take());
  Syntax result;
  result.kind = SyntaxKind::power;
  result.offset = start.offset;
  result.operands.push_back(std::move(base));
  result.operands.push_back(factor());
  return result;
}

Syntax ExpressionParser::primary() {
  const Token& token = peek();
  if (token.kind == TokenKind::number) {
    take();
    Syntax result;
    result.offset = token.offset;
    result.value = token.value;
    return result;
  }
  if (accept("(")) {
    Syntax inner = expression();
    expect(")", "the expression in parentheses");
    return element_of(std::move(inner));
  }
  if (token.kind == TokenKind::identifier) return named();
  fail(token, fmt::format("An expression was expected, but {} was found.", shown(token)));
}

Syntax ExpressionParser::index() {
  Syntax result = expression();
  if (peek().is(",")) {
    fail(peek(), "Vectors have one index; write ] instead of the comma.");
  }
  expect("]", "the index");
  return result;
}

std::vector<Syntax> ExpressionParser::indices() {
  std::vector<Syntax> result;
  do {
    result.push_back(expression());
  } while (accept(","));
  if (result.size() > 2) fail(peek(), "A matrix has two indices, its row and its column.");
  expect("]", "the index");
  return result;
}

// What is computed may be a vector or a matrix too: (A*x)[i].
Syntax ExpressionParser::element_of(Syntax base) {
  if (!accept("[")) return base;
  Syntax result;
  result.kind = SyntaxKind::element;
  result.offset = base.offset;
  result.operands.push_back(std::move(base));
  for (Syntax& i : indices()) result.operands.push_back(std::move(i));
  return result;
}

Syntax ExpressionParser::named() {
  const Token& token = take();
  if (peek().is("(") && !is_declared(token.text)) return element_of(call(token));
  if (is_noise(token)) misplaced_noise(token);
  Syntax result;
  result.kind = SyntaxKind::name;
  result.offset = token.offset;
  result.name = token.text;
  const bool has_index = peek().is("[");
  check_name(token, has_index);
  if (is_kind(token.text, SymbolKind::network)) return element_of(network(token));
  if (peek().is("(") && is_kind(token.text, SymbolKind::input)) argument_of_input(token);
  if (has_index) {
    take();
    result.kind = SyntaxKind::component;
    if (is_kind(token.text, SymbolKind::state)) {
      result.operands.push_back(index());
    } else {
      result.operands = indices();
    }
  }
  return result;
}

bool ExpressionParser::is_kind(std::string_view name, SymbolKind kind) const {
  const auto found = declarations_.find(name);
  return found != declarations_.end() && found->second.kind == kind;
}

Syntax ExpressionParser::network(const Token& name) {
  Syntax result;
  result.kind = SyntaxKind::network;
  result.offset = name.offset;
  result.name = name.text;
  if (!accept("(")) {
    fail(peek(),
         fmt::format("{0} is a network; its arguments were expected, as in {0}(...), but {1} "
                     "was found.",
                     name.text, shown(peek())));
  }
  do {
    result.operands.push_back(expression());
  } while (accept(","));
  expect(")", fmt::format("the arguments of {}", name.text));
  return result;
}

// u may be written u(t), as in its declaration; it is not known at other times.
void ExpressionParser::argument_of_input(const Token& name) {
  take();
  if (peek().is("t") && peek(1).is(")")) {
    take();
    take();
    return;
  }
  fail(peek(), fmt::format("{0} is an input, which is known at the time t alone: write {0} or "
                           "{0}(t).",
                           name.text));
}

void ExpressionParser::check_name(const Token& token, bool has_index) const {
  const std::string_view name = token.text;
  if (is_index(name) || name == "pi") {
    if (has_index)
      fail(token, fmt::format("{} is a number and has no components.", in_quotes(name)));
    return;
  }
  if (name == "t") {
    if (context_ < Context::everything) fail(token, "Time t cannot be used here.");
    if (has_index) fail(token, "Time t is a number and has no components.");
    return;
  }
  const auto found = declarations_.find(name);
  if (found == declarations_.end()) unknown(token);
  const SymbolKind kind = found->second.kind;
  if (kind == SymbolKind::observation) {
    fail(token, fmt::format("{} is an observation; expressions are made of states, parameters, "
                            "lets and constants.",
                            in_quotes(name)));
  }
  if (kind == SymbolKind::functional && context_ != Context::observables) {
    fail(token, fmt::format("{} is a functional of the path, which observables alone know.",
                            in_quotes(name)));
  }
  if (context_ == Context::numbers && kind != SymbolKind::constant) {
    fail(token, fmt::format("{} is {}; only numbers and constants can be used here.",
                            in_quotes(name), with_article(kind)));
  }
  if (context_ == Context::parameters && kind != SymbolKind::constant &&
      kind != SymbolKind::parameter) {
    fail(token, fmt::format("{} is {}; initial laws are made of parameters and constants.",
                            in_quotes(name), with_article(kind)));
  }
}

void ExpressionParser::misplaced_noise(const Token& token) const {
  const std::string advice = did_you_mean(token.text, candidates());
  if (dynamics_ == Dynamics::map) {
    fail(token, fmt::format("The noise {} stands inside an expression; it must be a factor of a "
                            "term, as in s*{}.{}",
                            in_quotes(token.text), token.text, advice));
  }
  fail(token,
       fmt::format("The differential {} stands inside an expression; a differential closes a "
                   "whole term, as in (a + b) {}.{}",
                   in_quotes(token.text), token.text, advice));
}

std::string ExpressionParser::taken_for_noise(const std::string& name) const {
  std::string advice = did_you_mean(name, candidates());
  if (!advice.empty() || name == "dt" || dynamics_ == Dynamics::map) return advice;
  return fmt::format(
      " ({} is not declared, and an undeclared name that begins with d is a "
      "differential.)",
      in_quotes(name));
}

std::vector<std::string> ExpressionParser::candidates() const {
  std::vector<std::string> names = indices_;
  for (const auto& [known, declaration] : declarations_) names.push_back(known);
  return names;
}

void ExpressionParser::unknown(const Token& token) const {
  const std::string name(token.text);
  if (find_function(name) != nullptr || name == "sum") {
    fail(token, fmt::format("{} is a function; '(' was expected after it.", in_quotes(name)));
  }
  if (name == "inf") fail(token, "'inf' can only be a bound of a parameter.");
  if (is_reserved(name)) {
    fail(token, fmt::format("{} is a word of the language and cannot stand in an expression.",
                            in_quotes(name)));
  }
  const std::string advice = did_you_mean(name, candidates());
  fail(token, fmt::format("The name {} is not declared{}", in_quotes(name),
                          advice.empty()
                              ? fmt::format("; the declared names are: {}.", list_of(candidates()))
                              : "." + advice));
}

Syntax ExpressionParser::dot(const Token& name) {
  Syntax result;
  result.kind = SyntaxKind::dot;
  result.offset = name.offset;
  take();
  result.operands.push_back(expression());
  expect(",", "the first vector of dot(a, b)");
  result.operands.push_back(expression());
  expect(")", "the vectors of dot(a, b)");
  return result;
}

Syntax ExpressionParser::call(const Token& name) {
  if (name.text == "sum") return sum_over(name);
  if (name.text == "dot") return dot(name);
  Syntax result;
  result.kind = SyntaxKind::call;
  result.offset = name.offset;
  result.function = find_function(name.text);
  if (result.function == nullptr) {
    fail(name, fmt::format("There is no function {}.{}", in_quotes(name.text),
                           did_you_mean(name.text, function_names())));
  }
  take();
  if (!peek().is(")")) {
    do {
      result.operands.push_back(expression());
    } while (accept(","));
  }
  if (result.function->decides && peek().is("=")) {
    fail(peek(), fmt::format("'{}' takes a comparison: <, <=, > or >=, not =.", name.text));
  }
  expect(")", fmt::format("the arguments of {}", name.text));
  if (result.operands.size() != result.function->arguments) {
    fail(name, fmt::format("{} takes {} argument{}, not {}.", name.text, result.function->arguments,
                           result.function->arguments == 1 ? "" : "s", result.operands.size()));
  }
  return result;
}

Syntax ExpressionParser::sum_over(const Token& name) {
  Syntax result;
  result.kind = SyntaxKind::sum_over;
  result.offset = name.offset;
  take();
  const Token& variable = take();
  const std::string form = "; a sum is written sum(j, 0:9, x[j])";
  if (variable.kind != TokenKind::identifier || !peek().is(",")) {
    fail(variable, "The index of the sum and a comma were expected" + form + ".");
  }
  take();
  result.name = variable.text;
  result.operands.push_back(expression());
  if (!accept(":")) {
    fail(peek(), fmt::format("':' was expected between the bounds of the sum, but {} was found{}.",
                             shown(peek()), form));
  }
  result.operands.push_back(expression());
  if (!accept(",")) {
    fail(peek(), fmt::format("',' was expected after the bounds of the sum, but {} was found{}.",
                             shown(peek()), form));
  }
  bind_index(variable);
  result.operands.push_back(expression());
  release_index();
  expect(")", "the terms of the sum");
  return result;
}

void ExpressionParser::noise_factor(Term& term) {
  const Token& token = take();
  if (!term.noise.empty()) {
    fail(token,
         fmt::format("This term has two {}, {} and {}; each term has one.{}",
                     dynamics_ == Dynamics::map ? "noises" : "differentials", in_quotes(term.noise),
                     in_quotes(token.text), taken_for_noise(term.noise)));
  }
  term.noise = token.text;
  if (token.text != "dt" && peek().is("[")) {
    take();
    term.index = index();
  }
  if (dynamics_ == Dynamics::map) return;
  const auto state = declarations_.find(token.text.substr(1));
  if (state != declarations_.end()) {
    fail(token, fmt::format("{} cannot be a Brownian motion, because {} is {}; it needs a name of "
                            "its own, such as dW.",
                            in_quotes(token.text), in_quotes(state->first),
                            with_article(state->second.kind)));
  }
}

Term ExpressionParser::term() {
  Term result;
  result.offset = peek().offset;
  while (peek().is("+") || peek().is("-")) {
    if (take().text == "-") result.negative = !result.negative;
  }
  Syntax& product = result.coefficient;
  product.kind = SyntaxKind::product;
  product.offset = peek().offset;
  char join = '*';
  bool more = true;
  while (more) {
    if (is_circle(peek(), peek(1))) {
      take();
      result.stratonovich = true;
    }
    if (is_noise(peek())) {
      if (join == '/')
        fail(peek(), fmt::format("A term cannot be divided by {}.", in_quotes(peek().text)));
      noise_factor(result);
    } else {
      product.operators += join;
      product.operands.push_back(factor());
    }
    if (peek().is("*") || peek().is("/")) {
      if (!result.noise.empty() && dynamics_ == Dynamics::sde) {
        fail(peek(),
             fmt::format("{} closes its term; '+', '-' or the end of the line was expected, "
                         "but {} was found.{}",
                         in_quotes(result.noise), shown(peek()), taken_for_noise(result.noise)));
      }
      join = take().text.front();
    } else {
      // A differential may follow without a sign.
      more = dynamics_ == Dynamics::sde && (is_noise(peek()) || is_circle(peek(), peek(1)));
      join = '*';
    }
  }
  return result;
}

std::vector<Term> ExpressionParser::terms() {
  const Deeper deeper(*this, peek());
  std::vector<Term> result;
  do {
    result.push_back(term());
    const Term& last = result.back();
    const Token& next = peek();
    if (is_comparison(next)) fail(next, std::string(comparison_misplaced));
    if (dynamics_ == Dynamics::sde && last.noise.empty()) {
      check_end_of_product();
      source_.fail(last.offset,
                   "This term has no differential; close it with dt or with that of a Brownian "
                   "motion, such as dW. Parentheses close several terms at once: (a + b) dt.");
    }
    if (next.kind == TokenKind::newline) break;
    if (!next.is("+") && !next.is("-")) {
      if (last.noise.empty()) check_end_of_product();
      fail(next, fmt::format("'+', '-' or the end of the line was expected, but {} was found.",
                             shown(next)));
    }
  } while (true);
  return result;
}

}  // namespace divker
