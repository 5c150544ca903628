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
#include "language/expand.hpp"
#include "language/parser.hpp"
#include "model/model_text.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

// One line of Model::text(): as it was, or remade from the current values.
struct Line {
  enum class Kind { fixed, parameter, time } kind = Kind::fixed;
  std::string text;
  std::size_t family = 0;
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
    return at(text_.statements.front().offset, [this] { return builder_.build(); });
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

  std::size_t length(const Declarator& d) {
    const long long n = expander_.integer(*d.size, "length of the vector");
    if (n < 1 || static_cast<std::size_t>(n) > source_.limits.vector_length) {
      source_.fail(d.size->offset, fmt::format("The length of {} is {}; it must be from 1 to {}.",
                                               d.name, n, source_.limits.vector_length));
    }
    return static_cast<std::size_t>(n);
  }

  // Numbers of a param or const: one for all components or a list with one for each.
  std::vector<double> numbers(const Statement& s) {
    std::vector<double> values;
    for (const Syntax& value : s.values) values.push_back(expander_.number(value));
    const Declarator& d = s.declarators.front();
    if (!d.size) {
      if (values.size() > source_.limits.vector_length) too_long(s, values.size());
      add_components(values.size(), d.offset);
      return values;
    }
    const std::size_t n = length(d);
    add_components(n, d.offset);
    if (!s.is_list) values.resize(n, values.front());
    if (values.size() != n) {
      source_.fail(s.values.front().offset,
                   fmt::format("{} has {} components, but the list has {} values.", d.name, n,
                               values.size()));
    }
    return values;
  }

  [[noreturn]] void too_long(const Statement& s, std::size_t n) const {
    source_.fail(s.offset, fmt::format("The list has {} values; the limit is {}.", n,
                                       source_.limits.vector_length));
  }

  void constant(const Statement& s) {
    Symbol symbol{
        SymbolKind::constant, s.is_list || s.declarators.front().size.has_value(), false, {}};
    for (const double value : numbers(s)) {
      symbol.values.push_back(builder_.graph().constant(value));
    }
    symbols_[s.declarators.front().name] = std::move(symbol);
  }

  Range range_of(const std::optional<Syntax>& lower, const std::optional<Syntax>& upper) {
    Range range;
    if (lower) range.lower = expander_.number(*lower);
    if (upper) range.upper = expander_.number(*upper);
    return range;
  }

  void parameter(const Statement& s) {
    const Declarator& d = s.declarators.front();
    const std::vector<double> values = numbers(s);
    const Range bounds = range_of(s.lower, s.upper);
    Symbol symbol{SymbolKind::parameter, s.is_list || d.size.has_value(), false, {}};
    at(d.offset, [&] {
      if (symbol.is_vector) {
        symbol.values = builder_.parameters(d.name, values, bounds.lower, bounds.upper, s.fixed);
      } else {
        symbol.values = {
            builder_.parameter(d.name, values.front(), bounds.lower, bounds.upper, s.fixed)};
      }
    });
    symbols_[d.name] = std::move(symbol);
  }

  void state(const Statement& s) {
    for (const Declarator& d : s.declarators) {
      Symbol symbol{SymbolKind::state, d.size.has_value(), d.periodic, {}};
      const std::size_t n = d.size ? length(d) : 1;
      add_components(n, d.offset);
      const Range range = d.has_range ? range_of(d.lower, d.upper) : Range{};
      at(d.offset, [&] {
        if (d.size) {
          symbol.values = builder_.states(d.name, n, d.periodic, range);
        } else {
          symbol.values = {builder_.state(d.name, range)};
        }
      });
      symbols_[d.name] = std::move(symbol);
      states_.push_back({d.name, d.offset});
    }
  }

  void input(const Statement& s) {
    const Expression value = at(s.target.offset, [&] { return builder_.input(s.input); });
    symbols_[s.input.name] = {SymbolKind::input, false, false, {value}};
  }

  void add_components(std::size_t n, std::size_t offset) {
    components_ += n;
    if (components_ <= source_.limits.components) return;
    source_.fail(offset, fmt::format("The vectors of the model are too long: up to here they have "
                                     "{} components in all; the limit is {}.",
                                     components_, source_.limits.components));
  }

  void let(const Statement& s) {
    Symbol symbol{SymbolKind::let, s.is_list || !s.target.free_index.empty(), false, {}};
    if (s.target.free_index.empty()) {
      if (s.values.size() > source_.limits.vector_length) too_long(s, s.values.size());
      add_components(s.values.size(), s.target.offset);
      for (const Syntax& value : s.values) symbol.values.push_back(expander_.expand(value));
    } else {
      const std::size_t n = let_length(s);
      add_components(n, s.target.offset);
      for (std::size_t i = 0; i < n; ++i) {
        expander_.bind(s.target.free_index, static_cast<long long>(i));
        symbol.values.push_back(expander_.expand(s.values.front()));
        expander_.release();
      }
    }
    at(s.target.offset, [&] { builder_.let(s.target.name, symbol.values); });
    symbols_[s.target.name] = std::move(symbol);
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
  void sort(const Statement& s, std::map<std::string, ByComponent>& into, bool bare_is_all) {
    const Target& target = s.target;
    const Symbol& symbol = symbols_.at(target.name);
    ByComponent& place = into[target.name];
    const bool indexed = target.literal.has_value() || !target.free_index.empty();
    if (indexed && !symbol.is_vector) {
      source_.fail(target.offset,
                   fmt::format("{} is not a vector; leave out the index.", in_quotes(target.name)));
    }
    if (!indexed && symbol.is_vector && !bare_is_all) {
      source_.fail(
          target.offset,
          fmt::format("{0} is a vector of {1}; write an equation with a free index, {0}[i], "
                      "or one for each component.",
                      target.name, symbol.values.size()));
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
    return symbols_.at(name).is_vector ? fmt::format("{}[{}]", name, i) : name;
  }

  void sort_equation(const Statement& s) { sort(s, equations_, false); }

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
      with_index(s->target, i, [&] { equation(*s, components[i]); });
    }
  }

  template <class F>
  void with_index(const Target& target, std::size_t i, F&& act) {
    if (target.free_index.empty()) return act();
    expander_.bind(target.free_index, static_cast<long long>(i));
    act();
    expander_.release();
  }

  void equation(const Statement& s, Expression state) {
    std::vector<Expression> drift;
    for (const Term& term : s.terms) {
      Expression value = expander_.product(term.coefficient);
      if (value.is_constant() && !std::isfinite(value.node().value)) {
        source_.fail(term.offset, fmt::format("The value of this term is {}; it must be finite.",
                                              value.node().value));
      }
      if (term.negative) value = -value;
      if (term.noise.empty() || term.noise == "dt") {
        drift.push_back(value);
      } else {
        const std::string name = noise_name(term);
        at(term.offset, [&] { builder_.noise(state, name, value); });
        amplitudes_[name].emplace_back(state, value);
        if (term.stratonovich) midpoints_.push_back({drifts_.size(), name, value});
      }
    }
    drifts_.push_back({s.offset, state, total(drift)});
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

  std::string noise_name(const Term& term) {
    std::string stem = text_.dynamics == Dynamics::map ? term.noise : term.noise.substr(1);
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
    if (!s.target.name.empty()) return sort(s, initial_, true);
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
    for (const Statement& s : text_.statements) {
      const std::span<const Token> tokens(text_.tokens.data() + s.first_token,
                                          s.last_token - s.first_token);
      if (s.kind == StatementKind::param) {
        lines->push_back({Line::Kind::parameter, "", family++});
      } else if (s.kind == StatementKind::time) {
        lines->push_back({Line::Kind::time, "", 0});
      } else {
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
            text += parameter_statement(model, line.family) + "\n";
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
  Symbols symbols_;
  Expander expander_;
  std::vector<StateName> states_;
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

Expression parse_expression(std::string_view text, const Model& model, Graph& graph) {
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
  const auto add = [&](const std::string& name, SymbolKind kind, bool is_vector, bool periodic) {
    declarations[name] = {kind, 0};
    symbols[name] = {kind, is_vector, periodic, {}};
    return &symbols[name].values;
  };
  for (const Family& f : model.state_families()) {
    std::vector<Expression>* values = add(f.name, SymbolKind::state, f.is_vector, f.periodic);
    for (std::size_t i = 0; i < f.size; ++i) {
      values->push_back(graph.at(model.states()[f.first + i].node));
    }
  }
  for (const Family& f : model.parameter_families()) {
    std::vector<Expression>* values = add(f.name, SymbolKind::parameter, f.is_vector, false);
    for (std::size_t i = 0; i < f.size; ++i) {
      values->push_back(graph.at(model.parameters()[f.first + i].node));
    }
  }
  for (const Input& input : model.inputs()) {
    add(input.name, SymbolKind::input, false, false)->push_back(graph.at(input.node));
  }
  for (const auto& [name, nodes] : model.lets()) {
    std::vector<Expression>* values = add(name, SymbolKind::let, nodes.size() > 1, false);
    for (const NodeId node : nodes) values->push_back(graph.at(node));
  }
  for (const Family& f : model.functional_families()) {
    std::vector<Expression>* values = add(f.name, SymbolKind::functional, f.is_vector, false);
    for (std::size_t i = 0; i < f.size; ++i) {
      values->push_back(graph.at(model.functionals()[f.first + i].node));
    }
  }
  const Syntax syntax = parse_single_expression(source, declarations);
  return Expander(source, graph, symbols, graph.at(model.time_input())).expand(syntax);
}

}  // namespace divker
