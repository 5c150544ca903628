#include "graph/elementary.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "graph/terms.hpp"

namespace divker {
namespace graph {
namespace {

Signs same(Signs a) { return a; }
Signs positive(Signs) { return {false, false, true}; }

// std::sin and its like are overloaded: each row says by a lambda which one it means.
constexpr std::array elementary_table{
    Elementary{.op = Op::exp,
               .name = "exp",
               .value = [](double a) { return std::exp(a); },
               .derivative = [](Expression, Expression v) { return v; },
               .signs = positive,
               .inverse = Op::log},
    Elementary{.op = Op::log,
               .name = "log",
               .value = [](double a) { return std::log(a); },
               .derivative = [](Expression a, Expression) { return 1.0 / a; },
               .inverse = Op::exp},
    Elementary{.op = Op::sin,
               .name = "sin",
               .value = [](double a) { return std::sin(a); },
               .derivative = [](Expression a, Expression) { return cos(a); },
               .parity = Parity::odd},
    Elementary{.op = Op::cos,
               .name = "cos",
               .value = [](double a) { return std::cos(a); },
               .derivative = [](Expression a, Expression) { return -sin(a); },
               .parity = Parity::even},
    Elementary{.op = Op::tan,
               .name = "tan",
               .value = [](double a) { return std::tan(a); },
               .derivative = [](Expression, Expression v) { return 1.0 + v * v; },
               .parity = Parity::odd},
    Elementary{.op = Op::tanh,
               .name = "tanh",
               .value = [](double a) { return std::tanh(a); },
               .derivative = [](Expression, Expression v) { return 1.0 - v * v; },
               .parity = Parity::odd,
               .signs = same},
    Elementary{.op = Op::sinh,
               .name = "sinh",
               .value = [](double a) { return std::sinh(a); },
               .derivative = [](Expression a, Expression) { return cosh(a); },
               .parity = Parity::odd,
               .signs = same},
    Elementary{.op = Op::cosh,
               .name = "cosh",
               .value = [](double a) { return std::cosh(a); },
               .derivative = [](Expression a, Expression) { return sinh(a); },
               .parity = Parity::even,
               .signs = positive},
    Elementary{.op = Op::atan,
               .name = "atan",
               .value = [](double a) { return std::atan(a); },
               .derivative = [](Expression a, Expression) { return 1.0 / (1.0 + a * a); },
               .parity = Parity::odd,
               .signs = same},
    Elementary{
        .op = Op::erf,
        .name = "erf",
        .value = [](double a) { return std::erf(a); },
        .derivative = [](Expression a,
                         Expression) { return (2.0 * std::numbers::inv_sqrtpi) * exp(-(a * a)); },
        .parity = Parity::odd,
        .signs = same},
    Elementary{
        .op = Op::erfc,
        .name = "erfc",
        .value = [](double a) { return std::erfc(a); },
        .derivative = [](Expression a,
                         Expression) { return (-2.0 * std::numbers::inv_sqrtpi) * exp(-(a * a)); },
        .signs = positive},
    Elementary{.op = Op::expm1,
               .name = "expm1",
               .value = [](double a) { return std::expm1(a); },
               .derivative = [](Expression, Expression v) { return 1.0 + v; },
               .signs = same,
               .inverse = Op::log1p},
    Elementary{.op = Op::log1p,
               .name = "log1p",
               .value = [](double a) { return std::log1p(a); },
               .derivative = [](Expression a, Expression) { return 1.0 / (1.0 + a); },
               .signs = same,
               .inverse = Op::expm1},
    Elementary{.op = Op::asinh,
               .name = "asinh",
               .value = [](double a) { return std::asinh(a); },
               .derivative = [](Expression a, Expression) { return 1.0 / sqrt(1.0 + a * a); },
               .parity = Parity::odd,
               .signs = same},
};

constexpr std::size_t most_operations = 64;

}  // namespace

std::span<const Elementary> elementary_functions() { return elementary_table; }

const Elementary* find_elementary(Op op) {
  static constexpr auto rows = [] {
    std::array<const Elementary*, most_operations> found{};
    for (const Elementary& row : elementary_table) found[static_cast<std::size_t>(row.op)] = &row;
    return found;
  }();
  return rows[static_cast<std::size_t>(op)];
}

}  // namespace graph

Expression elementary(Op op, Expression a) {
  const graph::Elementary& f = *graph::find_elementary(op);
  if (f.inverse != Op::constant && graph::is_op(a, f.inverse)) return graph::first(a);
  if (f.parity == graph::Parity::none || !graph::carries_sign(a)) return a.graph().unary(op, a);
  const Expression of_opposite = a.graph().unary(op, -a);
  return f.parity == graph::Parity::odd ? -of_opposite : of_opposite;
}

}  // namespace divker
