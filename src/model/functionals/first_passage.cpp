// The first time at which g = x - level is above zero.
//
// With the distances p = -a >= 0 before a step and q = -b after it, the bridge has passed for sure
// where q <= 0, and else with the probability exp(-theta), theta = 2 p q / v. In the time
// s = u dt/(dt - u), which turns a bridge into a Brownian motion, the passage is that of a Brownian
// motion with a constant drift: given that it happens, s/dt has the inverse Gaussian law of the
// mean p/|q| and the shape p^2/v. Its smaller root and its larger one (J. Michael, W. Schucany,
// R. Haas, Am. Statistician 30 (1976) 88) are, with y = xi_3^2 and
//
//   D = 2 p |q| + y v + sqrt( y v (y v + 4 p |q|) ) ,
//
// w_1 = 2 p^2 / D and w_2 = D / (2 q^2), of which the first is taken with the probability
// 1/(1 + 2 p |q|/D); the share of the step is u/dt = w/(1 + w). One exponential number E tells the
// rest: the bridge passes where E > theta, and E - theta is then exponential again.
#include "model/functionals/functionals.hpp"

namespace divker {
namespace {

struct Passage {
  explicit Passage(const PathStep& step)
      : graph(step.before.graph()),
        p(max(-step.before, graph.constant(0.0))),
        q(-step.after),
        is_open(negated(exceeds(graph.constant(not_yet), step.value))) {
    if (step.normals.empty()) {
      theta = graph.constant(0.0);
      happens = negated(exceeds(q, theta));
      return;
    }
    constexpr double certain = 700.0;  // exp(-700) is as good as zero
    const Expression zero = graph.constant(0.0);
    theta =
        choose(exceeds(q, zero), min(graph.constant(certain), 2.0 * p * q / step.variance), zero);
    happens = exceeds(exponential_of(step), theta);
  }

  Graph& graph;
  Expression p, q;
  Expression is_open;  // there was none before the step
  Expression theta;
  Expression happens;
};

// Which part of the step is over when the passage happens.
Expression share_of_step(const PathStep& step, const Passage& passage) {
  const Expression p = passage.p;
  const Expression q = abs(passage.q);
  if (step.normals.empty()) return p / (p + q);
  const Expression product = 2.0 * p * q;
  const Expression chi = step.normals[2] * step.normals[2] * step.variance;
  const Expression d = product + chi + sqrt(chi * (chi + 2.0 * product));
  const Expression uniform = exp(passage.theta - exponential_of(step));
  const Expression is_first = exceeds(d, uniform * (d + product));
  return choose(is_first, 2.0 * p * p / (2.0 * p * p + d), d / (d + 2.0 * q * q));
}

class FirstPassage : public PathFunctionalKind {
 public:
  [[nodiscard]] std::string_view name() const override { return "first"; }
  [[nodiscard]] std::string usage() const override { return "first(x > level)"; }
  [[nodiscard]] std::string latex(const std::string& followed) const override {
    return "\\inf\\left\\{s \\le t : " + followed + "\\right\\}";
  }
  [[nodiscard]] bool takes_condition() const override { return true; }
  [[nodiscard]] bool is_smooth() const override { return false; }
  [[nodiscard]] int side() const override { return 1; }
  [[nodiscard]] std::size_t more_normals() const override { return 1; }

  [[nodiscard]] Expression start(Expression followed, Expression t) const override {
    Graph& graph = followed.graph();
    return choose(exceeds(followed, graph.constant(0.0)), t, graph.constant(not_yet));
  }
  [[nodiscard]] Expression next(const PathStep& step) const override {
    if (!step.has_inside) {
      const Expression zero = zero_of(step);
      const Passage passage(step);
      return choose(both(passage.is_open, exceeds(step.after, zero)), step.t + step.dt, step.value);
    }
    const Passage passage(step);
    return choose(both(passage.is_open, passage.happens),
                  step.t + step.dt * share_of_step(step, passage), step.value);
  }
  // Of the density of the passage, proportional to v^(-1/2) exp(-z/2) with z = y + 2 theta where
  // q > 0 and z = y elsewhere; and of the probability 1 - exp(-theta) that there is none.
  [[nodiscard]] Expression told(const PathStep& step) const override {
    if (step.normals.empty()) return zero_of(step);
    const Passage passage(step);
    const Expression zero = zero_of(step);
    const Expression missed = exp(-passage.theta);
    const Expression if_passed = 0.5 * (step.normals[2] * step.normals[2] - 1.0) + passage.theta;
    const Expression if_not = -(passage.theta * missed / (1.0 - missed));
    return choose(passage.is_open, choose(passage.happens, if_passed, if_not), zero);
  }
};

}  // namespace

const PathFunctionalKind& first_passage_of_path() {
  static const FirstPassage instance;
  return instance;
}

}  // namespace divker
