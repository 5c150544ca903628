#include "language/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "language/estimates.hpp"
#include "language/expression_parser.hpp"
#include "language/networks.hpp"
#include "language/parse_arrays.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

struct Keyword {
  std::string_view name;
  StatementKind kind;
};
constexpr std::array keywords{
    Keyword{"model", StatementKind::model},    Keyword{"param", StatementKind::param},
    Keyword{"const", StatementKind::constant}, Keyword{"state", StatementKind::state},
    Keyword{"let", StatementKind::let},        Keyword{"init", StatementKind::init},
    Keyword{"time", StatementKind::time},      Keyword{"observe", StatementKind::observe},
    Keyword{"input", StatementKind::input},    Keyword{"net", StatementKind::net},
    Keyword{"path", StatementKind::path},      Keyword{"estimated", StatementKind::estimated}};

const Keyword* find_keyword(std::string_view name) {
  const auto* found = std::find_if(keywords.begin(), keywords.end(),
                                   [name](const Keyword& k) { return k.name == name; });
  return found == keywords.end() ? nullptr : found;
}

// A statement begins here. Words that came later may be names too, in net' = ...
const Keyword* find_keyword(const Token& token, const Token& next) {
  const Keyword* keyword = find_keyword(token.text);
  const bool may_be_name = keyword != nullptr && (keyword->kind == StatementKind::net ||
                                                  keyword->kind == StatementKind::estimated);
  const bool is_name = may_be_name && next.kind != TokenKind::identifier;
  return is_name ? nullptr : keyword;
}

// The names that the text declares, and whether its equations are of a map: one look ahead, so that
// statements may come in any order.
class Survey {
 public:
  Survey(const Source& source, const std::vector<Token>& tokens, ParsedText& result)
      : source_(source), tokens_(tokens), result_(result) {}

  void run() {
    bool at_start = true;
    for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (at_start && token.kind == TokenKind::identifier) statement(i);
      at_start = token.kind == TokenKind::newline;
    }
  }

 private:
  void statement(std::size_t i) {
    const std::string_view word = tokens_[i].text;
    if (word == "const") return declare(i + 1, SymbolKind::constant);
    if (word == "param") return declare(i + 1, SymbolKind::parameter);
    if (word == "let") return declare(i + 1, SymbolKind::let);
    if (word == "input") return declare(i + 1, SymbolKind::input);
    if (word == "observe") return components(i + 1, SymbolKind::observation);
    if (word == "path") return components(i + 1, SymbolKind::functional);
    if (word == "net" && tokens_[i + 1].kind == TokenKind::identifier) return network(i + 1);
    if (word == "state") return states(i + 1);
    if (find_keyword(tokens_[i], tokens_[i + 1]) != nullptr) return;
    while (tokens_[i].kind != TokenKind::newline && !tokens_[i].is("=")) {
      if (tokens_[i].is("'")) result_.dynamics = Dynamics::map;
      ++i;
    }
  }

  // The components of a vector may be given one by one, observe y[0] = ..., observe y[1] = ...
  void components(std::size_t i, SymbolKind kind) {
    const auto known = result_.declarations.find(tokens_[i].text);
    const bool again = known != result_.declarations.end() && known->second.kind == kind;
    if (again && tokens_[i + 1].is("[")) return;
    declare(i, kind);
  }

  void network(std::size_t i) {
    declare(i, SymbolKind::network);
    for (std::string& name : names_of_weights(tokens_, i)) {
      result_.declarations.try_emplace(std::move(name),
                                       Declaration{SymbolKind::parameter, tokens_[i].offset});
    }
  }

  void states(std::size_t i) {
    std::size_t depth = 0;
    bool expect_name = true;
    for (; tokens_[i].kind != TokenKind::newline; ++i) {
      const Token& token = tokens_[i];
      if (token.is("[") || token.is("(")) ++depth;
      if (token.is("]") || token.is(")")) --depth;
      if (expect_name && depth == 0) declare(i, SymbolKind::state);
      expect_name = depth == 0 && token.is(",");
    }
  }

  void declare(std::size_t i, SymbolKind kind) {
    const Token& token = tokens_[i];
    if (token.kind != TokenKind::identifier) {
      source_.fail(token.offset, fmt::format("The name of {} was expected, but {} was found.",
                                             with_article(kind), ExpressionParser::shown(token)));
    }
    if (is_reserved(token.text)) {
      source_.fail(token.offset, fmt::format("{} is a word of the language and cannot be declared.",
                                             in_quotes(token.text)));
    }
    const auto [place, is_new] =
        result_.declarations.try_emplace(std::string(token.text), Declaration{kind, token.offset});
    if (!is_new) {
      source_.fail(token.offset,
                   fmt::format("{} is declared twice; line {} declares it already.",
                               in_quotes(token.text), source_.line_of(place->second.offset)));
    }
  }

  const Source& source_;
  const std::vector<Token>& tokens_;
  ParsedText& result_;
};

class StatementParser {
 public:
  StatementParser(const Source& source, const ParsedText& text)
      : source_(source), text_(text), in_(source, text.tokens, text.declarations, text.dynamics) {}

  std::vector<Statement> run() {
    std::vector<Statement> statements;
    while (in_.peek().kind != TokenKind::end) {
      if (in_.peek().kind == TokenKind::newline) {
        in_.take();
        continue;
      }
      statements.push_back(statement());
      if (statements.size() == 1 && statements.front().kind != StatementKind::model) {
        source_.fail(statements.front().offset,
                     "A text begins with the name of the model; 'model NAME' was expected.");
      }
    }
    return statements;
  }

 private:
  Statement statement() {
    const Token& first = in_.peek();
    Statement result;
    result.offset = first.offset;
    result.first_token = in_.position();
    in_.set_context(Context::numbers);
    if (first.kind != TokenKind::identifier) no_statement(first);
    const Keyword* keyword = find_keyword(first, in_.peek(1));
    if (keyword == nullptr) {
      result.kind = StatementKind::equation;
      equation(result);
    } else {
      result.kind = keyword->kind;
      in_.take();
      after_keyword(result);
    }
    const Token& next = in_.peek();
    if (next.kind != TokenKind::newline) {
      in_.fail(next, fmt::format("The end of the line was expected, but {} was found.",
                                 ExpressionParser::shown(next)));
    }
    result.last_token = in_.position();
    return result;
  }

  void after_keyword(Statement& s) {
    switch (s.kind) {
      case StatementKind::model:
        return model(s);
      case StatementKind::param:
        return parameter(s);
      case StatementKind::constant:
        return constant(s);
      case StatementKind::state:
        return state(s);
      case StatementKind::input:
        return input(s);
      case StatementKind::net:
        return parse_network(in_, s);
      case StatementKind::let:
        return let(s);
      case StatementKind::init:
        return init(s);
      case StatementKind::observe:
        return observe(s);
      case StatementKind::path:
        return path(s);
      case StatementKind::time:
        return time(s);
      case StatementKind::estimated:
        return parse_estimate(source_, in_, s);
      case StatementKind::equation:
        return;
    }
  }

  [[noreturn]] void no_statement(const Token& token) const {
    in_.fail(token, fmt::format("A statement was expected (model, param, const, state, input, let, "
                                "init, observe, path, time or an equation), but {} was found.",
                                ExpressionParser::shown(token)));
  }

  const Token& name(const std::string& what) {
    const Token& token = in_.peek();
    if (token.kind != TokenKind::identifier) {
      in_.fail(token, fmt::format("The name of {} was expected, but {} was found.", what,
                                  ExpressionParser::shown(token)));
    }
    return in_.take();
  }

  void model(Statement& s) {
    const Token& token = name("the model");
    s.declarators.push_back({std::string(token.text), token.offset, {}, false, false, {}, {}, {}});
  }

  Declarator declarator(const std::string& what) {
    const Token& token = name(what);
    Declarator result{std::string(token.text), token.offset, {}, false, false, {}, {}, {}};
    if (in_.accept("[")) result.size = in_.index();
    return result;
  }

  // A number, a vector a[3] or a matrix a[3, 3].
  Declarator array_declarator(const std::string& what) {
    const Token& token = name(what);
    Declarator result{std::string(token.text), token.offset, {}, false, false, {}, {}, {}};
    parse_sizes(in_, result);
    return result;
  }

  void constant(Statement& s) {
    s.declarators.push_back(array_declarator("a constant"));
    in_.expect("=", "the name of the constant");
    parse_values(in_, s);
  }

  // "(0, inf)" behind 'in'.
  void range(std::optional<Syntax>& lower, std::optional<Syntax>& upper) {
    in_.expect("(", "'in'");
    lower = parse_bound(in_);
    in_.expect(",", "the lower bound");
    upper = parse_bound(in_);
    in_.expect(")", "the upper bound");
  }

  void parameter(Statement& s) {
    s.declarators.push_back(array_declarator("a parameter"));
    in_.expect("=", "the name of the parameter");
    parse_values(in_, s);
    bool bounded = false;
    while (true) {
      if (!bounded && in_.accept("in")) {
        bounded = true;
        in_.expect("(", "'in'");
        parse_bounds(in_, s.lower, s.lower_list);
        in_.expect(",", "the lower bound");
        parse_bounds(in_, s.upper, s.upper_list);
        in_.expect(")", "the upper bound");
      } else if (!s.fixed && in_.accept("fixed")) {
        s.fixed = true;
      } else if (label_is_next(s.label)) {
        s.label = parse_label(source_, in_);
      } else {
        break;
      }
    }
    const Token& next = in_.peek();
    if (next.kind != TokenKind::newline) {
      in_.fail(next,
               fmt::format("'in (lower, upper)', 'fixed' or the end of the line was expected, "
                           "but {} was found.",
                           ExpressionParser::shown(next)));
    }
  }

  void state(Statement& s) {
    do {
      Declarator d = declarator("a state");
      while (true) {
        if (!d.periodic && in_.peek().is("periodic")) {
          if (!d.size) in_.fail(in_.peek(), "Only a vector of states can be periodic.");
          in_.take();
          d.periodic = true;
        } else if (!d.has_range && in_.accept("positive")) {
          d.has_range = true;
          d.lower = Syntax{};
        } else if (!d.has_range && in_.accept("in")) {
          d.has_range = true;
          range(d.lower, d.upper);
        } else if (label_is_next(d.label)) {
          d.label = parse_label(source_, in_);
        } else {
          break;
        }
      }
      s.declarators.push_back(std::move(d));
    } while (in_.accept(","));
  }

  // u(t) from "file.csv" columns time, height step hold
  void input(Statement& s) {
    const Token& token = name("an input");
    s.target.offset = token.offset;
    s.input.name = token.text;
    if (!in_.peek().is("(") || !in_.peek(1).is("t") || !in_.peek(2).is(")")) {
      in_.fail(in_.peek(), fmt::format("An input is a function of the time, {0}(t); '(t)' was "
                                       "expected after {1}.",
                                       token.text, in_quotes(token.text)));
    }
    for (int part = 0; part < 3; ++part) in_.take();
    in_.expect("from", in_quotes(s.input.name + "(t)"));
    s.input.file = file("from \"forcing.csv\"");
    while (in_.peek().kind != TokenKind::newline) input_option(s.input);
  }

  void input_option(Input& input) {
    const Token& word = in_.take();
    if (word.is("columns") && input.value_column.empty()) {
      input.time_column = column();
      in_.expect(",", "the column of the times");
      input.value_column = column();
    } else if (word.is("step") && input.interpolation == Interpolation::linear) {
      input.interpolation = Interpolation::step;
    } else if (word.is("hold") && !input.hold) {
      input.hold = true;
    } else {
      const std::vector<std::string> words{"columns", "step", "hold"};
      in_.fail(word, fmt::format("'columns TIME, VALUE', 'step', 'hold', each once, or the end of "
                                 "the line was expected, but {} was found.{}",
                                 ExpressionParser::shown(word), did_you_mean(word.text, words)));
    }
  }

  // Of a file: a name as it is, or in quotes where it is none of the language's.
  std::string column() {
    const Token& token = in_.take();
    const bool is_name = token.kind == TokenKind::identifier || token.kind == TokenKind::string;
    if (!is_name || token.text.empty()) {
      in_.fail(token, fmt::format("The name of a column was expected, but {} was found.",
                                  ExpressionParser::shown(token)));
    }
    return std::string(token.text);
  }

  std::string file(const std::string& form) {
    const Token& token = in_.take();
    if (token.kind != TokenKind::string || token.text.empty()) {
      in_.fail(token,
               fmt::format("The name of a file in double quotes was expected, as in {}.", form));
    }
    return std::string(token.text);
  }

  // [i] or [0] after the name on the left. Binds a free index; the caller releases it.
  void left_index(Target& target) {
    const Token& token = in_.peek();
    const bool single =
        token.kind == TokenKind::identifier && (in_.peek(1).is("]") || in_.peek(1).is(","));
    const auto found = text_.declarations.find(token.text);
    const bool is_constant =
        found != text_.declarations.end() && found->second.kind == SymbolKind::constant;
    if (single && !is_constant) {
      in_.bind_index(token);
      in_.take();
      target.free_index = token.text;
      return;
    }
    in_.set_context(Context::numbers);
    target.literal = in_.expression();
  }

  // ", 0:9]" or "]": the range of a free index on the left, where it is given.
  void rest_of_index(Statement& s) {
    if (in_.accept(",")) {
      s.range_begin = in_.expression();
      in_.expect(":", "the first index");
      s.range_end = in_.expression();
    }
    in_.expect("]", "the index");
  }

  void let(Statement& s) {
    const Token& token = name("a let");
    s.target.name = token.text;
    s.target.offset = token.offset;
    if (in_.accept("[")) {
      left_index(s.target);
      if (s.target.free_index.empty()) {
        in_.fail(token,
                 fmt::format("A vector is defined with a free index, let {0}[i] = ..., or as "
                             "a list, let {0} = [...].",
                             token.text));
      }
      rest_of_index(s);
    }
    in_.expect("=", "the name of the let");
    in_.set_context(Context::everything);
    if (s.target.free_index.empty()) {
      parse_value_or_list(in_, s);
    } else {
      s.values.push_back(in_.expression());
      in_.release_index();
    }
  }

  // Which state the equation is for: dx = ..., or x' = ... of a map.
  void equation(Statement& s) {
    const Token& token = in_.peek();
    const bool map = text_.dynamics == Dynamics::map;
    const bool has_prime = left_side_has_prime();
    if (map && !has_prime && token.text.size() > 1 && is_state(token.text.substr(1))) {
      in_.fail(token,
               "This model is a map because another equation has the form x' = ...; "
               "differentials cannot be mixed with it.");
    }
    const std::string_view name = has_prime ? token.text : token.text.substr(1);
    if (!has_prime) {
      if (is_state(token.text)) {
        in_.fail(token, fmt::format("An equation for the state {0} is written d{0} = ... dt + ... "
                                    "dW, or {0}' = ... for a map.",
                                    token.text));
      }
      if (token.text.front() != 'd' || name.empty() ||
          (!in_.peek(1).is("=") && !in_.peek(1).is("["))) {
        unknown_statement(token);
      }
    }
    if (!is_state(name)) no_state(token, name);
    in_.take();
    s.target.name = name;
    s.target.offset = token.offset;
    if (in_.accept("[")) {
      left_index(s.target);
      in_.expect("]", "the index");
    }
    if (has_prime) in_.expect("'", "the state");
    in_.expect("=", "the left-hand side");
    in_.set_context(Context::everything);
    in_.allow_noise(true);
    s.terms = in_.terms();
    in_.allow_noise(false);
    if (!s.target.free_index.empty()) in_.release_index();
  }

  [[nodiscard]] bool left_side_has_prime() const {
    for (std::size_t i = 0;; ++i) {
      const Token& token = in_.peek(i);
      if (token.is("'")) return true;
      if (token.kind == TokenKind::newline || token.kind == TokenKind::end || token.is("=")) {
        return false;
      }
    }
  }

  [[nodiscard]] bool is_state(std::string_view word) const {
    const auto found = text_.declarations.find(word);
    return found != text_.declarations.end() && found->second.kind == SymbolKind::state;
  }

  [[nodiscard]] std::vector<std::string> states() const {
    std::vector<std::string> names;
    for (const auto& [known, declaration] : text_.declarations) {
      if (declaration.kind == SymbolKind::state) names.push_back(known);
    }
    return names;
  }

  [[noreturn]] void no_state(const Token& token, std::string_view word) const {
    const std::vector<std::string> known = states();
    const std::string advice = did_you_mean(word, known);
    in_.fail(token, fmt::format("{} is not a state of this model; its states are: {}.{}",
                                in_quotes(word), list_of(known), advice));
  }

  [[noreturn]] void unknown_statement(const Token& token) const {
    std::vector<std::string> candidates;
    candidates.reserve(std::size(keywords));
    for (const Keyword& keyword : keywords) candidates.emplace_back(keyword.name);
    const std::string advice = did_you_mean(token.text, candidates);
    if (!advice.empty()) {
      in_.fail(token, fmt::format("There is no statement {}.{}", in_quotes(token.text), advice));
    }
    no_statement(token);
  }

  void init(Statement& s) {
    const Token& token = name("a state, or 'state' for all of them,");
    s.target.offset = token.offset;
    if (token.text != "state") {
      if (!is_state(token.text)) no_state(token, token.text);
      s.target.name = token.text;
      if (in_.accept("[")) {
        left_index(s.target);
        in_.expect("]", "the index");
      }
    }
    in_.set_context(Context::parameters);
    if (in_.accept("=")) {
      s.law = InitialKind::point;
      s.values.push_back(in_.expression());
    } else if (in_.accept("~")) {
      law(s);
    } else {
      in_.fail(in_.peek(),
               fmt::format("'~' and a law, or '=' and a value, was expected, but {} was "
                           "found.",
                           ExpressionParser::shown(in_.peek())));
    }
    if (!s.target.free_index.empty()) in_.release_index();
  }

  void law(Statement& s) {
    const Token& token = in_.take();
    if (token.is("samples")) {
      s.law = InitialKind::samples;
      in_.expect("(", "'samples'");
      s.file = file("samples(\"start.npy\")");
      return in_.expect(")", "the file");
    }
    if (token.is("normal")) {
      s.law = InitialKind::normal;
    } else if (token.is("lognormal")) {
      s.law = InitialKind::lognormal;
    } else {
      const std::vector<std::string> laws{"normal", "lognormal", "samples"};
      in_.fail(token, fmt::format("A law was expected (normal, lognormal or samples), but {} was "
                                  "found.{}",
                                  ExpressionParser::shown(token), did_you_mean(token.text, laws)));
    }
    two_arguments(s, token);
  }

  // y, or y[i] and y[0] of a vector.
  void indexed_name(Statement& s, const char* what) {
    const Token& token = name(what);
    s.target.name = token.text;
    s.target.offset = token.offset;
    if (!in_.accept("[")) return;
    left_index(s.target);
    rest_of_index(s);
  }

  void observe(Statement& s) {
    indexed_name(s, "an observation");
    in_.set_context(Context::everything);
    if (in_.accept("=")) {
      s.values.push_back(in_.expression());
    } else if (in_.accept("~")) {
      const Token& law = in_.take();
      if (!law.is("normal")) {
        in_.fail(law, fmt::format("The noise of an observation is normal(mean, sd), but {} was "
                                  "found.",
                                  ExpressionParser::shown(law)));
      }
      two_arguments(s, law);
    } else {
      in_.fail(in_.peek(),
               fmt::format("'=' and a value, or '~' and normal(mean, sd), was expected, "
                           "but {} was found.",
                           ExpressionParser::shown(in_.peek())));
    }
    if (!s.target.free_index.empty()) in_.release_index();
    if (label_is_next(s.label)) s.label = parse_label(source_, in_);
  }

  [[nodiscard]] bool label_is_next(const Label& known) const {
    return known.words.empty() && in_.peek().kind == TokenKind::string;
  }

  // path m = max(x), path tau = first(x > level)
  void path(Statement& s) {
    indexed_name(s, "a functional");
    in_.expect("=", "the name of the functional");
    const Token& kind = in_.take();
    s.functional = find_path_functional_kind(kind.text);
    if (s.functional == nullptr) {
      in_.fail(kind, fmt::format("A functional of the path was expected ({}), but {} was found.",
                                 fmt::join(path_functional_usages(), ", "),
                                 ExpressionParser::shown(kind)));
    }
    in_.expect("(", in_quotes(kind.text));
    in_.set_context(Context::everything);
    s.values.push_back(in_.expression());
    const Syntax& followed = s.values.front();
    const bool is_condition =
        followed.kind == SyntaxKind::comparison && (followed.name == ">" || followed.name == "<");
    if (s.functional->takes_condition() && !is_condition) {
      source_.fail(followed.offset,
                   fmt::format("'{}' waits for a state to pass a level: a condition x > level or "
                               "x < level was expected, as in {}.",
                               s.functional->name(), s.functional->usage()));
    }
    in_.expect(")", "what is followed");
    if (!s.target.free_index.empty()) in_.release_index();
  }

  void two_arguments(Statement& s, const Token& law) {
    in_.expect("(", in_quotes(law.text));
    s.values.push_back(in_.expression());
    in_.expect(",", "the first argument of the law");
    s.values.push_back(in_.expression());
    in_.expect(")", "the arguments of the law");
  }

  void time(Statement& s) {
    const std::string form = "; a time grid is written time start : step : end";
    for (int part = 0; part < 3; ++part) {
      if (part > 0 && !in_.accept(":")) {
        in_.fail(in_.peek(), fmt::format("':' was expected, but {} was found{}.",
                                         ExpressionParser::shown(in_.peek()), form));
      }
      s.values.push_back(in_.expression());
    }
    s.tamed = in_.accept("tamed");
    if (s.tamed && in_.peek().kind != TokenKind::newline) s.values.push_back(in_.expression());
  }

  const Source& source_;
  const ParsedText& text_;
  ExpressionParser in_;
};

}  // namespace

std::string_view with_article(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::constant:
      return "a constant";
    case SymbolKind::parameter:
      return "a parameter";
    case SymbolKind::state:
      return "a state";
    case SymbolKind::input:
      return "an input";
    case SymbolKind::network:
      return "a network";
    case SymbolKind::let:
      return "a let";
    case SymbolKind::observation:
      return "an observation";
    case SymbolKind::functional:
      return "a functional of the path";
  }
  return "a name";
}

ParsedText parse_statements(const Source& source) {
  ParsedText result;
  result.tokens = tokenize(source);
  Survey(source, result.tokens, result).run();
  result.statements = StatementParser(source, result).run();
  return result;
}

Syntax parse_single_expression(const Source& source, const Declarations& declarations) {
  const std::vector<Token> tokens = tokenize(source);
  ExpressionParser in(source, tokens, declarations, Dynamics::sde);
  in.set_context(Context::observables);
  Syntax result = in.expression();
  while (in.peek().kind == TokenKind::newline) in.take();
  if (in.peek().kind != TokenKind::end) {
    in.fail(in.peek(), fmt::format("An operator or the end of the expression was expected, but {} "
                                   "was found.",
                                   ExpressionParser::shown(in.peek())));
  }
  return result;
}

}  // namespace divker
