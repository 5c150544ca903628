// What the parser makes of a text, before indices are expanded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "divker/model.hpp"
#include "model/functions.hpp"

namespace divker {

// The fault of a comparison that stands for a number.
inline constexpr std::string_view comparison_misplaced =
    "A comparison is no number; it is the condition of an if, as in if(x > 0, 1, 0).";

enum class SyntaxKind {
  number,       // value
  name,         // a scalar, a free index, t or pi
  component,    // name[operand 0]
  call,         // function(operands)
  sum_over,     // sum(name, operand 0 : operand 1, operand 2)
  additive,     // operands joined by signs '+' and '-', one sign before each
  product,      // operands joined by '*' and '/', one before each; the first is '*'
  power,        // operand 0 ^ operand 1
  negative,     // - operand 0
  comparison,   // operand 0 name operand 1, where the name is < <= > >= == or !=
  conjunction,  // all operands hold
  disjunction,  // one of the operands holds
  negation,     // operand 0 does not hold
};

struct Syntax {
  SyntaxKind kind = SyntaxKind::number;
  std::size_t offset = 0;  // in the text, for messages
  double value = 0.0;
  std::string name;
  const FunctionInfo* function = nullptr;
  std::vector<Syntax> operands;
  std::string operators;
};

// One term of the right-hand side of an equation.
struct Term {
  bool negative = false;
  Syntax coefficient;
  std::string noise;            // "" : drift
  std::optional<Syntax> index;  // of the noise
  bool stratonovich = false;    // "o" before the noise
  std::size_t offset = 0;
};

struct Declarator {
  std::string name;
  std::size_t offset = 0;
  std::optional<Syntax> size;
  bool periodic = false;
  bool has_range = false;
  std::optional<Syntax> lower;  // of a range, and
  std::optional<Syntax> upper;  // none at infinity
};

// What stands left of the = of an equation, a let or an initial law.
struct Target {
  std::string name;  // of the state or let; "" : all states
  std::size_t offset = 0;
  std::string free_index;         // of x[i]
  std::optional<Syntax> literal;  // of x[0]
};

enum class StatementKind {
  model,
  param,
  constant,
  state,
  input,
  let,
  equation,
  init,
  observe,
  path,
  time
};

struct Statement {
  StatementKind kind = StatementKind::model;
  std::size_t offset = 0;
  std::size_t first_token = 0;
  std::size_t last_token = 0;  // one past
  std::vector<Declarator> declarators;
  Target target;
  std::vector<Syntax> values;  // right-hand side, arguments of a law, or start, step, end and
                               // perhaps the limit of a tamed grid; of an
                               // observation its value and, with noise, its deviation; of a
                               // functional what is followed, or its condition
  bool is_list = false;
  std::optional<Syntax> lower;
  std::optional<Syntax> upper;
  bool fixed = false;
  bool tamed = false;
  std::optional<Syntax> range_begin;  // let y[i, 0:9]
  std::optional<Syntax> range_end;
  std::vector<Term> terms;
  InitialKind law = InitialKind::point;
  std::string file;  // of samples
  Input input;       // all but its node
  const PathFunctionalKind* functional = nullptr;
};

}  // namespace divker
