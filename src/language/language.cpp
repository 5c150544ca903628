#include "divker/language.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "language/canonical_text.hpp"
#include "language/declared.hpp"
#include "language/estimates.hpp"
#include "language/expand.hpp"
#include "language/networks.hpp"
#include "language/parser.hpp"
#include "model/model_text.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

// One line of Model::text(): as it was, or remade from the current values.
struct Line {
  enum class Kind { fixed, parameter, network, time } kind = Kind::fixed;
  std::string text;
  std::size_t number = 0;  // of the family of parameters, or of the network
};

// Statements that speak of the components of one state, by how closely they do.
struct ByComponent {
  std::vector<const Statement*> literal;  // per component
  const Statement* general = nullptr;     // x[i], or x for all components
};

class Assembler {
 public:
  Assembler(const Source& source, const ParsedText& text)
      : source_(source),
        text_(text),
        builder_(model_name(source, text), text.dynamics),
        expander_(source, builder_.graph(), symbols_, builder_.time()) {}

  Model run() {
    each(StatementKind::constant, [this](const Statement& s) { constant(s); });
    each(StatementKind::param, [this](const Statement& s) { parameter(s); });
    each(StatementKind::state, [this](const Statement& s) { state(s); });
    each(StatementKind::input, [this](const Statement& s) { input(s); });
    each(StatementKind::net, [this](const Statement& s) { network(s); });
    each(StatementKind::let, [this](const Statement& s) { let(s); });
    each(StatementKind::equation, [this](const Statement& s) { sort_equation(s); });
    for (const StateName& state : states_) equations(state);
    drifts();
    each(StatementKind::init, [this](const Statement& s) { sort_initial(s); });
    for (const StateName& state : states_) initial_laws(state);
    each(StatementKind::observe, [this](const Statement& s) {
      by_components(s, [&](const std::string& name) { observation(s, name); });
    });
    each(StatementKind::path, [this](const Statement& s) {
      by_components(s, [&](const std::string& name) { functional(s, name); });
    });
    time();
    set_printer();
    return at(text_.statements.front().offset, [this] {
      Model model = builder_.build();
      for (const auto& [number, weights] : weights_) {
        model = model.with_weights(number, weights, "");
      }
      return with_estimates(source_, expander_, text_.statements, model);
    });
  }

 private:
  struct StateName {
    std::string name;
    std::size_t offset = 0;
  };

  static std::string model_name(const Source& source, const ParsedText& text) {
    if (text.statements.empty()) {
      source.fail(0, "The text holds no statement; 'model NAME' was expected.");
    }
    const Declarator& first = text.statements.front().declarators.front();
    for (std::size_t i = 1; i < text.statements.size(); ++i) {
      if (text.statements[i].kind == StatementKind::model) {
        source.fail(text.statements[i].offset,
                    fmt::format("A text holds one model; this one is already called {}.",
                                in_quotes(first.name)));
      }
    }
    return first.name;
  }

  template <class F>
  void each(StatementKind kind, F&& treat) {
    for (const Statement& s : text_.statements) {
      if (s.kind == kind) treat(s);
    }
  }

  // What the builder finds at fault is reported at this place.
  template <class F>
  auto at(std::size_t offset, F&& act) -> decltype(act()) {
    try {
      return act();
    } catch (const LanguageError&) {
      throw;
    } catch (const Error& error) {
      source_.fail(offset, error.what());
    }
  }

  [[noreturn]] void too_long(const Statement& s, std::size_t n) const {
    source_.fail(s.offset, fmt::format("The list has {} values; the limit is {}.", n,
                                       source_.limits.vector_length));
  }

  void constant(const Statement& s) {
    Symbol symbol{SymbolKind::constant, declared_shape(source_, expander_, s), false, {}};
    add_components(size_of(symbol.shape), s.declarators.front().offset);
    for (const double value : declared_numbers(source_, expander_, s, symbol.shape)) {
      symbol.values.push_back(builder_.graph().constant(value));
    }
    symbols_[s.declarators.front().name] = std::move(symbol);
  }

  void parameter(const Statement& s) {
    const Declarator& d = s.declarators.front();
    Symbol symbol{SymbolKind::parameter, declared_shape(source_, expander_, s), false, {}};
    add_components(size_of(symbol.shape), d.offset);
    const std::vector<double> values = declared_numbers(source_, expander_, s, symbol.shape);
    const std::vector<Range> bounds = declared_bounds(source_, expander_, s, values.size());
    at(d.offset, [&] {
      if (symbol.is_vector()) {
        const std::size_t columns = symbol.shape.size() == 2 ? symbol.shape[1] : 0;
        symbol.values = builder_.parameters(d.name, values, bounds, s.fixed, columns);
      } else {
        symbol.values = {builder_.parameter(d.name, values.front(), bounds.front().lower,
                                            bounds.front().upper, s.fixed)};
      }
    });
    symbols_[d.name] = std::move(symbol);
    label(d.name, d.offset, s.label);
  }

  void label(const std::string& name, std::size_t offset, const Label& label) {
    if (!label.words.empty()) at(offset, [&] { builder_.label(name, label); });
  }

  void state(const Statement& s) {
    for (const Declarator& d : s.declarators) {
      const std::size_t n = d.size ? declared_length(source_, expander_, d.name, *d.size) : 1;
      Symbol symbol{SymbolKind::state, d.size ? Shape{n} : Shape{}, d.periodic, {}};
      add_components(n, d.offset);
      const Range range = d.has_range ? declared_range(expander_, d.lower, d.upper) : Range{};
      at(d.offset, [&] {
        if (d.size) {
          symbol.values = builder_.states(d.name, n, d.periodic, range);
        } else {
          symbol.values = {builder_.state(d.name, range)};
        }
      });
      symbols_[d.name] = std::move(symbol);
      label(d.name, d.offset, d.label);
      states_.push_back({d.name, d.offset});
    }
  }

  void input(const Statement& s) {
    const Expression value = at(s.target.offset, [&] { return builder_.input(s.input); });
    symbols_[s.input.name] = {SymbolKind::input, {}, false, {value}};
  }

  void network(const Statement& s) {
    const Network network = declared_network(source_, expander_, symbols_, text_.declarations, s);
    at(s.target.offset, [&] {
      const std::vector<Expression> weights = builder_.network(network);
      add_components(weights.size(), s.target.offset);
      add_network(symbols_, network, weights);
    });
    std::vector<double> given = declared_weights(source_, expander_, s, network);
    if (!given.empty()) weights_.emplace_back(networks_, std::move(given));
    ++networks_;
  }

  void add_components(std::size_t n, std::size_t offset) {
    components_ += n;
    if (components_ <= source_.limits.components) return;
    source_.fail(offset, fmt::format("The vectors of the model are too long: up to here they have "
                                     "{} components in all; the limit is {}.",
                                     components_, source_.limits.components));
  }

  void let(const Statement& s) {
    Symbol symbol{SymbolKind::let, {}, false, {}};
    if (!s.target.free_index.empty()) {
      const std::size_t n = let_length(s);
      add_components(n, s.target.offset);
      for (std::size_t i = 0; i < n; ++i) {
        expander_.bind(s.target.free_index, static_cast<long long>(i));
        symbol.values.push_back(expander_.expand(s.values.front()));
        expander_.release();
      }
      symbol.shape = {n};
    } else if (s.is_list) {
      if (s.values.size() > source_.limits.vector_length) too_long(s, s.values.size());
      add_components(s.values.size(), s.target.offset);
      for (const Syntax& value : s.values) symbol.values.push_back(expander_.expand(value));
      symbol.shape = {s.values.size()};
    } else {
      Array value = number_or_vector(s.values.front(), "A let");
      add_components(value.values.size(), s.target.offset);
      symbol.shape = std::move(value.shape);
      symbol.values = std::move(value.values);
    }
    at(s.target.offset, [&] { builder_.let(s.target.name, symbol.values); });
    symbols_[s.target.name] = std::move(symbol);
  }

  Array number_or_vector(const Syntax& syntax, const std::string& what) {
    Array value = expander_.array(syntax);
    if (value.shape.size() < 2) return value;
    source_.fail(syntax.offset, fmt::format("{} is a number or a vector, but this is {}.", what,
                                            in_words(value.shape)));
  }

  std::size_t let_length(const Statement& s) {
    const std::string& index = s.target.free_index;
    if (!s.range_begin) {
      const Expander::Extent extent = expander_.extent_of(s.values.front(), index);
      if (extent.length == 0) {
        source_.fail(
            s.target.offset,
            fmt::format("The range of {0} is not clear, because no vector is indexed by it; "
                        "state the range as in {2} {1}[{0}, 0:9] = ...",
                        index, s.target.name,
                        s.kind == StatementKind::observe ? "observe"
                        : s.kind == StatementKind::path  ? "path"
                                                         : "let"));
      }
      return extent.length;
    }
    const long long first = expander_.integer(*s.range_begin, "first index");
    const long long last = expander_.integer(*s.range_end, "last index");
    if (first != 0 || last < 0 || static_cast<std::size_t>(last) >= source_.limits.vector_length) {
      source_.fail(s.range_begin->offset,
                   fmt::format("The range of {} is {}:{}; it must begin at 0 and have from 1 to {} "
                               "values.",
                               index, first, last, source_.limits.vector_length));
    }
    return static_cast<std::size_t>(last) + 1;
  }

  // Files a statement under the components that its left-hand side names.
  void sort(const Statement& s, std::map<std::string, ByComponent>& into) {
    const Target& target = s.target;
    const Symbol& symbol = symbols_.at(target.name);
    ByComponent& place = into[target.name];
    const bool indexed = target.literal.has_value() || !target.free_index.empty();
    if (indexed && !symbol.is_vector()) {
      source_.fail(target.offset,
                   fmt::format("{} is not a vector; leave out the index.", in_quotes(target.name)));
    }
    if (!target.literal) {
      if (place.general != nullptr) twice(s, *place.general);
      place.general = &s;
      return;
    }
    const long long i = expander_.integer(*target.literal, "index");
    const auto n = static_cast<long long>(symbol.values.size());
    if (i < 0 || i >= n) {
      source_.fail(target.literal->offset,
                   fmt::format("The index of {0} is {1}, but {0} has {2} components, {0}[0] to "
                               "{0}[{3}].",
                               target.name, i, n, n - 1));
    }
    place.literal.resize(symbol.values.size());
    const Statement*& slot = place.literal[static_cast<std::size_t>(i)];
    if (slot != nullptr) twice(s, *slot);
    slot = &s;
  }

  [[noreturn]] void twice(const Statement& s, const Statement& before) const {
    source_.fail(s.offset, fmt::format("This is given twice; line {} gives it already.",
                                       source_.line_of(before.offset)));
  }

  static const Statement* choose(const ByComponent& among, std::size_t i) {
    if (i < among.literal.size() && among.literal[i] != nullptr) return among.literal[i];
    return among.general;
  }

  [[nodiscard]] std::string component_name(const std::string& name, std::size_t i) const {
    return symbols_.at(name).is_vector() ? fmt::format("{}[{}]", name, i) : name;
  }

  void sort_equation(const Statement& s) { sort(s, equations_); }

  void equations(const StateName& state) {
    const ByComponent& among = equations_[state.name];
    const std::vector<Expression>& components = symbols_.at(state.name).values;
    for (std::size_t i = 0; i < components.size(); ++i) {
      const Statement* s = choose(among, i);
      if (s == nullptr) {
        const std::string name = component_name(state.name, i);
        source_.fail(
            state.offset,
            text_.dynamics == Dynamics::map
                ? fmt::format("The state {0} has no equation; {0}' = ... was expected.", name)
                : fmt::format("The state {0} has no equation; d{0} = ... was expected.", name));
      }
      with_index(s->target, i, [&] { equation(*s, components[i], i); });
    }
  }

  template <class F>
  void with_index(const Target& target, std::size_t i, F&& act) {
    if (target.free_index.empty()) return act();
    expander_.bind(target.free_index, static_cast<long long>(i));
    act();
    expander_.release();
  }

  // What stands before the differential of a term: a number or, before that of several motions,
  // dW[0], dW[1], ..., a vector. Of an equation for the whole vector x, dx = A*x dt + S*dW, it is
  // the row for one component.
  Array coefficient(const Statement& s, const Term& term, std::size_t component) {
    const bool drift = term.noise.empty() || term.noise == "dt";
    const Symbol& state = symbols_.at(s.target.name);
    const bool whole = state.is_vector() && s.target.free_index.empty() && !s.target.literal;
    if (!whole) {
      if (drift || term.index || expander_.shape(term.coefficient).empty()) {
        return {{}, {expander_.product(term.coefficient)}};
      }
      Array value = expander_.array(term.coefficient);
      if (value.shape.size() == 1) return value;
      wrong_term(s, term, value.shape, "a number or a vector");
    }
    auto [place, is_new] = whole_terms_.try_emplace(&term);
    if (is_new) place->second = expander_.array(term.coefficient);
    const Array& value = place->second;
    const std::size_t n = state.values.size();
    if (value.is_number()) {
      source_.fail(
          s.target.offset,
          fmt::format("{0} is a vector of {1}; write an equation with a free index, {0}[i], "
                      "or one for each component.",
                      s.target.name, n));
    }
    const bool fits =
        value.shape.front() == n && (value.shape.size() == 1 || !(drift || term.index));
    if (!fits) {
      wrong_term(
          s, term, value.shape,
          fmt::format("a vector of {}{}", n, drift ? "" : ", or a matrix with as many rows,"));
    }
    return row(value, component);
  }

  [[noreturn]] void wrong_term(const Statement& s, const Term& term, const Shape& shape,
                               const std::string& expected) const {
    source_.fail(term.offset,
                 fmt::format("This term of the equation of {} is {}, but {} was expected.",
                             s.target.name, in_words(shape), expected));
  }

  void equation(const Statement& s, Expression state, std::size_t component) {
    std::vector<Expression> drift;
    for (const Term& term : s.terms) {
      Array value = coefficient(s, term, component);
      for (Expression& one : value.values) {
        if (one.is_constant() && !std::isfinite(one.node().value)) {
          source_.fail(term.offset, fmt::format("The value of this term is {}; it must be finite.",
                                                one.node().value));
        }
        if (term.negative) one = -one;
      }
      if (term.noise.empty() || term.noise == "dt") {
        drift.push_back(value.values.front());
      } else if (value.is_number()) {
        noise(term, noise_name(term), state, value.values.front());
      } else {
        for (std::size_t k = 0; k < value.values.size(); ++k) {
          noise(term, fmt::format("{}[{}]", noise_stem(term), k), state, value.values[k]);
        }
      }
    }
    drifts_.push_back({s.offset, state, total(drift)});
  }

  void noise(const Term& term, const std::string& name, Expression state, Expression amplitude) {
    at(term.offset, [&] { builder_.noise(state, name, amplitude); });
    amplitudes_[name].emplace_back(state, amplitude);
    if (term.stratonovich) midpoints_.push_back({drifts_.size(), name, amplitude});
  }

  // S o dW is S dW and the drift 1/2 sum_j R_j dS/dx_j, with R_j all that dW moves x_j by.
  void drifts() {
    for (const Midpoint& midpoint : midpoints_) {
      Expression& rate = drifts_[midpoint.equation].rate;
      for (const auto& [state, amplitude] : amplitudes_[midpoint.noise]) {
        rate = rate + 0.5 * amplitude * derivative(midpoint.amplitude, state);
      }
    }
    for (const Drift& drift : drifts_) {
      at(drift.offset, [&] { builder_.drift(drift.state, drift.rate); });
    }
  }

  // Short sums in the order of the text, as in expressions.
  Expression total(const std::vector<Expression>& terms) {
    constexpr std::size_t longest_chain = 8;
    if (terms.empty() || terms.size() > longest_chain) return sum(builder_.graph(), terms);
    Expression result = terms.front();
    for (std::size_t i = 1; i < terms.size(); ++i) result = result + terms[i];
    return result;
  }

  [[nodiscard]] std::string noise_stem(const Term& term) const {
    return text_.dynamics == Dynamics::map ? term.noise : term.noise.substr(1);
  }

  std::string noise_name(const Term& term) {
    std::string stem = noise_stem(term);
    if (!term.index) return stem;
    const long long i = expander_.integer(*term.index, "index of " + term.noise);
    if (i < 0) {
      source_.fail(term.index->offset,
                   fmt::format("The index of {} is {}; it must not be negative.", term.noise, i));
    }
    if (i > 99'999'999) {
      source_.fail(term.index->offset,
                   fmt::format("The index of {} is {}; the limit is 99999999.", term.noise, i));
    }
    return fmt::format("{}[{}]", stem, i);
  }

  void sort_initial(const Statement& s) {
    if (!s.target.name.empty()) return sort(s, initial_);
    if (initial_of_all_ != nullptr) twice(s, *initial_of_all_);
    initial_of_all_ = &s;
  }

  void initial_laws(const StateName& state) {
    const ByComponent& among = initial_[state.name];
    const std::vector<Expression>& components = symbols_.at(state.name).values;
    for (std::size_t i = 0; i < components.size(); ++i) {
      const Statement* s = choose(among, i);
      if (s == nullptr) s = initial_of_all_;
      if (s == nullptr) {
        source_.fail(state.offset,
                     fmt::format("The state {0} has no initial law; init {0} ~ normal(0, 1) or the "
                                 "like was expected.",
                                 component_name(state.name, i)));
      }
      with_index(s->target, i, [&] { initial_law(*s, components[i]); });
    }
  }

  void initial_law(const Statement& s, Expression state) {
    std::vector<Expression> arguments;
    for (const Syntax& value : s.values) arguments.push_back(expander_.expand(value));
    at(s.offset, [&] {
      switch (s.law) {
        case InitialKind::normal:
          return builder_.initial_normal(state, arguments[0], arguments[1]);
        case InitialKind::lognormal:
          return builder_.initial_lognormal(state, arguments[0], arguments[1]);
        case InitialKind::point:
          return builder_.initial_point(state, arguments[0]);
        case InitialKind::samples:
          return builder_.initial_samples(state, s.file);
      }
    });
  }

  // A statement for a name, for one component or for all of a free index.
  template <class F>
  void by_components(const Statement& s, F&& act) {
    if (s.target.literal) {
      const long long i = expander_.integer(*s.target.literal, "index");
      const auto last = static_cast<long long>(source_.limits.vector_length) - 1;
      if (i < 0 || i > last) {
        source_.fail(
            s.target.literal->offset,
            fmt::format("The index of {} is {}; it must be from 0 to {}.", s.target.name, i, last));
      }
      return act(fmt::format("{}[{}]", s.target.name, i));
    }
    if (s.target.free_index.empty()) return act(s.target.name);
    const std::size_t n = let_length(s);
    add_components(n, s.target.offset);
    for (std::size_t i = 0; i < n; ++i) {
      with_index(s.target, i, [&] { act(fmt::format("{}[{}]", s.target.name, i)); });
    }
  }

  void observation(const Statement& s, const std::string& name) {
    std::vector<Expression> values;
    for (const Syntax& value : s.values) values.push_back(expander_.expand(value));
    at(s.offset, [&] {
      if (values.size() == 1) return builder_.observe(name, values.front());
      builder_.observe_normal(name, values[0], values[1]);
    });
    label(s.target.free_index.empty() ? name : s.target.name, s.offset, s.label);
  }

  void functional(const Statement& s, const std::string& name) {
    const Syntax& value = s.values.front();
    Expression followed;
    if (s.functional->takes_condition()) {
      const bool is_above = value.name == ">";
      const Expression left = expander_.expand(value.operands.at(0));
      const Expression right = expander_.expand(value.operands.at(1));
      followed = is_above ? left - right : right - left;
    } else {
      followed = expander_.expand(value);
    }
    at(s.offset, [&] { builder_.path(name, *s.functional, followed); });
  }

  void time() {
    const Statement* found = nullptr;
    each(StatementKind::time, [&](const Statement& s) {
      if (found != nullptr) twice(s, *found);
      found = &s;
    });
    if (found == nullptr) {
      source_.fail(source_.text.size(),
                   text_.dynamics == Dynamics::map
                       ? "The model has no time grid; time 0 : 1 : 50 or the like was expected."
                       : "The model has no time grid; time 0 : 0.01 : 1 or the like was expected.");
    }
    const double start = expander_.number(found->values[0]);
    const double step = expander_.number(found->values[1]);
    const double end = expander_.number(found->values[2]);
    double tamed = found->tamed ? 1.0 : 0.0;
    if (found->values.size() > 3) {
      tamed = expander_.number(found->values[3]);
      if (!(tamed > 0.0)) {
        source_.fail(found->values[3].offset,
                     fmt::format("The limit of a tamed step is {}; it must be positive.", tamed));
      }
    }
    at(found->offset, [&] { builder_.time(start, step, end, tamed); });
  }

  void set_printer() {
    auto lines = std::make_shared<std::vector<Line>>();
    lines->push_back({Line::Kind::fixed, header_comment(source_.text), 0});
    std::size_t family = 0;
    std::size_t network = 0;
    for (const Statement& s : text_.statements) {
      const std::span<const Token> tokens(text_.tokens.data() + s.first_token,
                                          s.last_token - s.first_token);
      if (s.kind == StatementKind::param) {
        lines->push_back({Line::Kind::parameter, "", family++});
      } else if (s.kind == StatementKind::net) {
        const auto head = tokens.first(s.head_end - s.first_token);
        lines->push_back({Line::Kind::network, canonical_text(head) + " = ", network++});
      } else if (s.kind == StatementKind::time) {
        lines->push_back({Line::Kind::time, "", 0});
      } else if (s.kind != StatementKind::estimated) {
        lines->push_back({Line::Kind::fixed, canonical_text(tokens) + "\n", 0});
      }
    }
    builder_.printer([lines](const Model& model) {
      std::string text;
      for (const Line& line : *lines) {
        switch (line.kind) {
          case Line::Kind::fixed:
            text += line.text;
            break;
          case Line::Kind::parameter:
            text += parameter_statement(model, line.number) + "\n";
            break;
          case Line::Kind::network:
            text += line.text + network_text(model, line.number) + "\n";
            break;
          case Line::Kind::time:
            text += time_statement(model.time()) + "\n";
            break;
        }
      }
      return text;
    });
  }

  const Source& source_;
  const ParsedText& text_;
  struct Drift {
    std::size_t offset = 0;
    Expression state;
    Expression rate;
  };
  struct Midpoint {  // a term in Stratonovich's sense
    std::size_t equation = 0;
    std::string noise;
    Expression amplitude;
  };
  ModelBuilder builder_;
  std::vector<Drift> drifts_;
  std::vector<Midpoint> midpoints_;
  std::map<std::string, std::vector<std::pair<Expression, Expression>>> amplitudes_;
  std::map<const Term*, Array> whole_terms_;  // of equations for whole vectors
  Symbols symbols_;
  Expander expander_;
  std::vector<StateName> states_;
  std::size_t networks_ = 0;
  std::vector<std::pair<std::size_t, std::vector<double>>> weights_;  // listed, by network
  std::size_t components_ = 0;
  std::map<std::string, ByComponent> equations_;
  std::map<std::string, ByComponent> initial_;
  const Statement* initial_of_all_ = nullptr;
};

}  // namespace

Model parse_model(std::string_view text, const std::string& file, const LanguageLimits& limits) {
  const Source source{text, file, limits};
  const ParsedText parsed = parse_statements(source);
  return Assembler(source, parsed).run();
}

Expression parse_expression(std::string_view text, const Model& model, Graph& graph,
                            const std::vector<std::pair<std::string, double>>& constants) {
  if (graph.size() < model.graph()->size()) {
    throw Error(
        ErrorKind::usage,
        fmt::format("An expression can only be parsed into a copy of the graph of the model "
                    "{}; this graph has {} nodes, that of the model {}.",
                    model.name(), graph.size(), model.graph()->size()));
  }
  const Source source{text, "expression", {}};
  Declarations declarations;
  Symbols symbols;
  const auto add = [&](const std::string& name, SymbolKind kind, const Shape& shape,
                       bool periodic) {
    declarations[name] = {kind, 0};
    symbols[name] = {kind, shape, periodic, {}};
    return &symbols[name].values;
  };
  for (const auto& [name, value] : constants) {
    add(name, SymbolKind::constant, {}, false)->push_back(graph.constant(value));
  }
  const auto shape_of = [](const Family& f) {
    if (f.columns > 0) return Shape{f.size / f.columns, f.columns};
    return f.is_vector ? Shape{f.size} : Shape{};
  };
  for (const Family& f : model.state_families()) {
    std::vector<Expression>* values = add(f.name, SymbolKind::state, shape_of(f), f.periodic);
    for (std::size_t i = 0; i < f.size; ++i) {
      values->push_back(graph.at(model.states()[f.first + i].node));
    }
  }
  for (const Family& f : model.parameter_families()) {
    std::vector<Expression>* values = add(f.name, SymbolKind::parameter, shape_of(f), false);
    for (std::size_t i = 0; i < f.size; ++i) {
      values->push_back(graph.at(model.parameters()[f.first + i].node));
    }
  }
  for (const Network& network : model.networks()) {
    declarations[network.name] = {SymbolKind::network, 0};
    std::vector<Expression> weights;
    for (std::size_t i = 0; i < network.weight_count(); ++i) {
      weights.push_back(graph.at(model.parameters()[network.first + i].node));
    }
    add_network(symbols, network, weights);
  }
  for (const Input& input : model.inputs()) {
    add(input.name, SymbolKind::input, {}, false)->push_back(graph.at(input.node));
  }
  for (const auto& [name, nodes] : model.lets()) {
    std::vector<Expression>* values =
        add(name, SymbolKind::let, nodes.size() > 1 ? Shape{nodes.size()} : Shape{}, false);
    for (const NodeId node : nodes) values->push_back(graph.at(node));
  }
  for (const Family& f : model.functional_families()) {
    std::vector<Expression>* values = add(f.name, SymbolKind::functional, shape_of(f), false);
    for (std::size_t i = 0; i < f.size; ++i) {
      values->push_back(graph.at(model.functionals()[f.first + i].node));
    }
  }
  const Syntax syntax = parse_single_expression(source, declarations);
  return Expander(source, graph, symbols, graph.at(model.time_input())).expand(syntax);
}

}  // namespace divker
