#include "graph/signs.hpp"

#include "graph/elementary.hpp"

namespace divker::graph {
namespace {

constexpr Signs any{};
constexpr Signs above{false, false, true};

Signs opposite(Signs a) { return {a.positive, a.zero, a.negative}; }

Signs of_sum(Signs a, Signs b) {
  const bool can_cancel =
      (a.zero && b.zero) || (a.negative && b.positive) || (a.positive && b.negative);
  return {a.negative || b.negative, can_cancel, a.positive || b.positive};
}

Signs of_product(Signs a, Signs b) {
  return {(a.negative && b.positive) || (a.positive && b.negative), a.zero || b.zero,
          (a.negative && b.negative) || (a.positive && b.positive)};
}

Signs of_max(Signs a, Signs b) {
  const bool zero = (a.zero && (b.zero || b.negative)) || (b.zero && a.negative);
  return {a.negative && b.negative, zero, a.positive || b.positive};
}

Signs of_size(Signs a) { return {false, a.zero, a.positive || a.negative}; }

}  // namespace

Signs signs_of_constant(double value) { return {value<0.0, value == 0.0, value> 0.0}; }

Signs signs_of(Op op, Signs a, Signs b, bool is_square) {
  switch (op) {
    case Op::add:
      return of_sum(a, b);
    case Op::sub:
      return of_sum(a, opposite(b));
    case Op::mul:
      return is_square ? of_size(a) : of_product(a, b);
    case Op::div:
      return of_product(a, b.excludes_zero() ? b : any);
    case Op::pow:
      return a.is_positive() ? above : any;
    case Op::min:
      return opposite(of_max(opposite(a), opposite(b)));
    case Op::max:
      return of_max(a, b);
    case Op::neg:
      return opposite(a);
    case Op::abs:
      return of_size(a);
    case Op::sqrt:
      return {false, a.zero || a.negative, a.positive};
    case Op::sign:
      return a;
    case Op::step:
      return {false, true, true};
    case Op::floor:
      return {a.negative, a.zero || a.positive, a.positive};
    case Op::where:
      return {b.negative, true, b.positive};
    default:
      break;
  }
  const Elementary* f = find_elementary(op);
  return f == nullptr ? any : f->signs(a);
}

}  // namespace divker::graph
