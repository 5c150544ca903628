// A model's equations in LaTeX, from the syntax of its text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "divker/language.hpp"
#include "language/parser.hpp"

namespace divker {
namespace {

// How tightly a formula binds, from loose to tight.
enum Binding { logical, compared, added, multiplied, raised, closed };

struct Formula {
  std::string text;
  Binding binding = closed;
};

constexpr std::array greek = {"alpha", "beta",  "gamma",   "delta",  "epsilon", "zeta",   "eta",
                              "theta", "iota",  "kappa",   "lambda", "mu",      "nu",     "xi",
                              "pi",    "rho",   "sigma",   "tau",    "upsilon", "phi",    "chi",
                              "psi",   "omega", "Gamma",   "Delta",  "Theta",   "Lambda", "Xi",
                              "Pi",    "Sigma", "Upsilon", "Phi",    "Psi",     "Omega"};

std::string letter(const std::string& name) {
  if (name.size() == 1) return name;
  if (std::find(greek.begin(), greek.end(), name) != greek.end()) return "\\" + name;
  return "\\mathrm{" + name + "}";
}

// "sigma_v" is \sigma_{v}, "k1" is k_{1}; an index comes after what the name has below.
std::string symbol(const std::string& name, const std::string& index = {}) {
  std::string stem = name.substr(0, name.find('_', 1));
  std::string below = stem.size() < name.size() ? name.substr(stem.size() + 1) : std::string();
  while (below.empty() && stem.size() > 1 &&
         std::isdigit(static_cast<unsigned char>(stem.back()))) {
    std::size_t digits = stem.size();
    while (digits > 1 && std::isdigit(static_cast<unsigned char>(stem[digits - 1]))) --digits;
    below = stem.substr(digits);
    stem.resize(digits);
  }
  std::string escaped;
  for (const char c : below) escaped += c == '_' ? std::string("\\_") : std::string(1, c);
  if (escaped.size() > 1 && !std::isdigit(static_cast<unsigned char>(escaped.front()))) {
    escaped = "\\mathrm{" + escaped + "}";
  }
  if (!index.empty()) escaped += (escaped.empty() ? "" : ",") + index;
  return escaped.empty() ? letter(stem) : letter(stem) + "_{" + escaped + "}";
}

std::string in_parentheses(const std::string& text) { return "\\left(" + text + "\\right)"; }
std::string at_least(const Formula& f, Binding binding) {
  return f.binding >= binding ? f.text : in_parentheses(f.text);
}

std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text == "inf") return "\\infty";
  if (text == "-inf") return "-\\infty";
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  const std::string mantissa = text.substr(0, e);
  const std::string power = fmt::format("10^{{{}}}", std::stoi(text.substr(e + 1)));
  return mantissa == "1" ? power : mantissa + " \\cdot " + power;
}

Formula formula(const Syntax& s);

Formula joined(const Syntax& s, const std::string& by, Binding binding) {
  std::string text;
  for (const Syntax& operand : s.operands) {
    text += (text.empty() ? "" : by) + at_least(formula(operand), binding);
  }
  return {text, binding};
}

Formula sum(const Syntax& s) {
  std::string text;
  for (std::size_t i = 0; i < s.operands.size(); ++i) {
    const char sign = s.operators[i];
    if (sign == '-' || i > 0) text += text.empty() ? "-" : fmt::format(" {} ", sign);
    text += at_least(formula(s.operands[i]), text.empty() ? added : multiplied);
  }
  return {text, added};
}

// Factors side by side; a number after another factor would run into it.
Formula factors(const std::vector<Formula>& all) {
  if (all.size() == 1) return all.front();
  std::string text;
  for (const Formula& factor : all) {
    const std::string next = at_least(factor, multiplied);
    const bool dot = !text.empty() && std::isdigit(static_cast<unsigned char>(next.front())) != 0;
    text += (text.empty() ? "" : dot ? " \\cdot " : " ") + next;
  }
  return {text, multiplied};
}

Formula product(const Syntax& s) {
  // The sign of the first factor is that of all of it. A noise alone has no factors.
  if (!s.operands.empty() && s.operands.front().kind == SyntaxKind::negative) {
    Syntax positive = s;
    positive.operands.front() = s.operands.front().operands.front();
    return {"-" + product(positive).text, added};
  }
  std::vector<Formula> above;
  std::vector<Formula> below;
  for (std::size_t i = 0; i < s.operands.size(); ++i) {
    (s.operators[i] == '*' ? above : below).push_back(formula(s.operands[i]));
  }
  if (below.empty()) return factors(above);
  return {fmt::format("\\frac{{{}}}{{{}}}", factors(above).text, factors(below).text), multiplied};
}

Formula call(const Syntax& s) {
  constexpr std::array named = {"exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh"};
  const std::string name(s.function != nullptr ? std::string(s.function->name) : s.name);
  const auto argument = [&](std::size_t i) { return formula(s.operands.at(i)); };
  if (name == "sqrt") return {"\\sqrt{" + argument(0).text + "}", closed};
  if (name == "abs") return {"\\left|" + argument(0).text + "\\right|", closed};
  if (name == "floor") return {"\\left\\lfloor " + argument(0).text + " \\right\\rfloor", closed};
  if (name == "atan") return {"\\arctan" + in_parentheses(argument(0).text), closed};
  if (name == "if") {
    return {fmt::format("\\begin{{cases}} {} & \\text{{if }} {} \\\\ {} & \\text{{otherwise}} "
                        "\\end{{cases}}",
                        argument(1).text, argument(0).text, argument(2).text),
            closed};
  }
  const bool known = std::find(named.begin(), named.end(), name) != named.end();
  const std::string head = known                            ? "\\" + name
                           : name == "min" || name == "max" ? "\\" + name
                                                            : "\\operatorname{" + name + "}";
  return {head + in_parentheses(joined(s, ", ", logical).text), closed};
}

Formula comparison(const Syntax& s) {
  constexpr std::pair<std::string_view, std::string_view> signs[] = {
      {"<=", "\\le"}, {">=", "\\ge"}, {"==", "="}, {"!=", "\\ne"}};
  std::string sign = s.name;
  for (const auto& [written, drawn] : signs) {
    if (written == s.name) sign = drawn;
  }
  return {
      fmt::format("{} {} {}", formula(s.operands.at(0)).text, sign, formula(s.operands.at(1)).text),
      compared};
}

Formula formula(const Syntax& s) {
  switch (s.kind) {
    case SyntaxKind::number:
      return {number(s.value), s.value < 0.0 ? added : closed};
    case SyntaxKind::name:
      return {symbol(s.name), closed};
    case SyntaxKind::component:
      return {symbol(s.name, joined(s, ",", logical).text), closed};
    case SyntaxKind::element: {
      std::string below;
      for (std::size_t i = 1; i < s.operands.size(); ++i) {
        below += (below.empty() ? "" : ",") + formula(s.operands[i]).text;
      }
      if (s.operands.front().kind == SyntaxKind::network) {
        const Syntax& called = s.operands.front();
        return {symbol(called.name, below) + in_parentheses(joined(called, ", ", logical).text),
                closed};
      }
      return {fmt::format("{}_{{{}}}", in_parentheses(formula(s.operands.at(0)).text), below),
              closed};
    }
    case SyntaxKind::network:
      return {symbol(s.name) + in_parentheses(joined(s, ", ", logical).text), closed};
    case SyntaxKind::dot:
      return {at_least(formula(s.operands.at(0)), raised) + " \\cdot " +
                  at_least(formula(s.operands.at(1)), raised),
              multiplied};
    case SyntaxKind::call:
      return call(s);
    case SyntaxKind::sum_over:
      return {fmt::format("\\sum_{{{}={}}}^{{{}}} {}", symbol(s.name),
                          formula(s.operands.at(0)).text, formula(s.operands.at(1)).text,
                          at_least(formula(s.operands.at(2)), multiplied)),
              added};
    case SyntaxKind::additive:
      return sum(s);
    case SyntaxKind::product:
      return product(s);
    case SyntaxKind::power: {
      const Formula base = formula(s.operands.at(0));
      // A fraction or a root below a power needs parentheses to be read rightly.
      const bool plain = base.binding == closed && base.text.find("\\sqrt") == std::string::npos;
      return {fmt::format("{}^{{{}}}", plain ? base.text : in_parentheses(base.text),
                          formula(s.operands.at(1)).text),
              raised};
    }
    case SyntaxKind::negative:
      return {"-" + at_least(formula(s.operands.at(0)), multiplied), added};
    case SyntaxKind::comparison:
      return comparison(s);
    case SyntaxKind::conjunction:
      return joined(s, " \\text{ and } ", compared);
    case SyntaxKind::disjunction:
      return {joined(s, " \\text{ or } ", compared).text, logical};
    case SyntaxKind::negation:
      return {"\\text{not } " + at_least(formula(s.operands.at(0)), compared), compared};
  }
  return {};
}

std::string target(const Target& t) {
  if (!t.free_index.empty()) return symbol(t.name, symbol(t.free_index));
  if (t.literal) return symbol(t.name, formula(*t.literal).text);
  return symbol(t.name);
}

std::string values(const Statement& s) {
  if (!s.is_list) return formula(s.values.at(0)).text;
  if (s.row_length > 0) {
    std::string rows;
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      rows += i == 0 ? "" : i % s.row_length == 0 ? " \\\\ " : " & ";
      rows += formula(s.values[i]).text;
    }
    return fmt::format("\\begin{{pmatrix}} {} \\end{{pmatrix}}", rows);
  }
  std::string text;
  for (const Syntax& value : s.values) text += (text.empty() ? "" : ",\\; ") + formula(value).text;
  return in_parentheses(text);
}

std::string differential(const Term& term) {
  if (term.noise.empty()) return {};
  if (term.noise == "dt") return "\\mathrm{d}t";
  const std::string index = term.index ? formula(*term.index).text : std::string();
  const bool is_differential = term.noise.size() > 1 && term.noise.front() == 'd';
  const std::string noise = is_differential ? "\\mathrm{d}" + symbol(term.noise.substr(1), index)
                                            : symbol(term.noise, index);
  return term.stratonovich ? "\\circ " + noise : noise;
}

// A sum of signed texts.
void add_term(std::string& sum, bool negative, const std::string& term) {
  if (negative) {
    sum += sum.empty() ? "-" : " - ";
  } else if (!sum.empty()) {
    sum += " + ";
  }
  sum += term;
}

std::string times(const std::string& factor, const std::string& differential) {
  if (differential.empty()) return factor.empty() ? "1" : factor;
  return factor.empty() || factor == "1" ? differential : factor + " \\, " + differential;
}

// Neighbours with the same differential share it, as in (f - k x) dt.
std::string differentials(const std::vector<Term>& terms) {
  std::string text;
  for (std::size_t i = 0; i < terms.size();) {
    const std::string shared = differential(terms[i]);
    std::size_t end = i + 1;
    while (end < terms.size() && differential(terms[end]) == shared) ++end;
    if (end == i + 1) {
      add_term(text, terms[i].negative,
               times(at_least(formula(terms[i].coefficient), multiplied), shared));
    } else {
      std::string inner;
      for (std::size_t k = i; k < end; ++k) {
        add_term(inner, terms[k].negative, at_least(formula(terms[k].coefficient), multiplied));
      }
      if (shared.empty()) {
        add_term(text, false, inner);
      } else {
        add_term(text, false, times(in_parentheses(inner), shared));
      }
    }
    i = end;
  }
  return text;
}

std::string law(const Statement& s) {
  const std::string left = (s.target.name.empty() ? "x" : target(s.target)) + "(0)";
  const auto two = [&](const std::string& name) {
    return fmt::format("{} &\\sim {}\\left({},\\; {}^2\\right)", left, name,
                       formula(s.values.at(0)).text, at_least(formula(s.values.at(1)), closed));
  };
  switch (s.law) {
    case InitialKind::normal:
      return two("\\mathcal{N}");
    case InitialKind::lognormal:
      return two("\\log\\mathcal{N}");
    case InitialKind::samples:
      return left + " &\\sim \\text{samples of \\texttt{" + s.file + "}}";
    case InitialKind::point:
      break;
  }
  return left + " &= " + formula(s.values.at(0)).text;
}

std::string parameter(const Statement& s) {
  std::string text = symbol(s.declarators.front().name) + " = " + values(s);
  if (s.lower && !s.upper) text += " > " + formula(*s.lower).text;
  if (s.upper && !s.lower) text += " < " + formula(*s.upper).text;
  if (s.lower && s.upper) {
    text += fmt::format(" \\in ({},\\, {})", formula(*s.lower).text, formula(*s.upper).text);
  }
  return text;
}

std::string network(const Statement& s) {
  std::string arguments;
  for (const Declarator& d : s.declarators) {
    arguments += (arguments.empty() ? "" : ", ") + symbol(d.name);
  }
  std::string layers;
  for (const SyntaxLayer& layer : s.layers) {
    layers = fmt::format("\\mathrm{{{}}}_{{{}}}{}{}", layer.activation, formula(layer.width).text,
                         layers.empty() ? "" : " \\circ ", layers);
  }
  return symbol(s.target.name) + in_parentheses(arguments) + " &= " + layers +
         in_parentheses(arguments);
}

std::string observation(const Statement& s) {
  if (s.values.size() < 2) return target(s.target) + " &= " + formula(s.values.at(0)).text;
  return fmt::format("{} &\\sim \\mathcal{{N}}\\left({},\\; {}^2\\right)", target(s.target),
                     formula(s.values.at(0)).text, at_least(formula(s.values.at(1)), closed));
}

}  // namespace

std::string latex(const Model& model) {
  const std::string text = model.text();
  const ParsedText parsed = parse_statements({text, model.name(), {}});
  std::vector<std::string> lines;
  std::string parameters;
  const bool is_map = parsed.dynamics == Dynamics::map;
  for (const Statement& s : parsed.statements) {
    switch (s.kind) {
      case StatementKind::param:
      case StatementKind::constant:
        parameters += (parameters.empty() ? "" : ",\\quad ") + parameter(s);
        break;
      case StatementKind::net:
        lines.push_back(network(s));
        break;
      case StatementKind::let:
        lines.push_back(target(s.target) + " &= " + values(s));
        break;
      case StatementKind::equation:
        lines.push_back((is_map ? target(s.target) + "'" : "\\mathrm{d}" + target(s.target)) +
                        " &= " + differentials(s.terms));
        break;
      case StatementKind::init:
        lines.push_back(law(s));
        break;
      case StatementKind::observe:
        lines.push_back(observation(s));
        break;
      case StatementKind::path:
        lines.push_back(target(s.target) +
                        " &= " + s.functional->latex(formula(s.values.at(0)).text));
        break;
      default:
        break;
    }
  }
  if (!parameters.empty()) lines.push_back("& " + parameters);
  return fmt::format("\\begin{{aligned}}\n{}\n\\end{{aligned}}\n", fmt::join(lines, " \\\\\n"));
}

}  // namespace divker
