#include "divker/state_coordinates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <utility>

#include "model/somewhere.hpp"

namespace divker {

Coordinate::Equation Coordinate::equation(Expression x, Expression u, Expression drift,
                                          std::span<const Expression> noise) const {
  Equation result{drift / stretch(x, u), {}, {}};
  for (const Expression& amplitude : noise) {
    result.noise.push_back(amplitude / stretch(x, u));
    const Expression& moved = result.noise.back();
    result.drift = result.drift - 0.5 * turn(x, u) * moved * moved;
  }
  return result;
}

Expression Coordinate::landed(Expression z, Expression u, std::span<const Expression> /*pulls*/,
                              Expression /*dt*/) const {
  return state(z, u);
}

namespace {

constexpr double half_pi = std::numbers::pi / 2.0;

double one_of(double /*like*/) { return 1.0; }
Expression one_of(Expression like) { return like.graph().constant(1.0); }

// The distance of a state from the one end that its range has.
class Edge {
 public:
  explicit Edge(const Range& range)
      : is_lower_(std::isfinite(range.lower)), place_(is_lower_ ? range.lower : range.upper) {}
  template <class Number>
  [[nodiscard]] Number distance(Number x) const {
    return is_lower_ ? x - place_ : place_ - x;
  }
  template <class Number>
  [[nodiscard]] Number at_distance(Number d) const {
    return is_lower_ ? place_ + d : place_ - d;
  }
  // The derivative of the distance by the state.
  [[nodiscard]] double sign() const { return is_lower_ ? 1.0 : -1.0; }
  [[nodiscard]] double place() const { return place_; }
  [[nodiscard]] std::string text(const std::string& name) const {
    if (place_ == 0.0) return is_lower_ ? name : "-" + name;
    return is_lower_ ? fmt::format("{} - {}", name, place_) : fmt::format("{} - {}", place_, name);
  }

 private:
  bool is_lower_ = true;
  double place_ = 0.0;
};

class Logarithm final : public Coordinate {
 public:
  explicit Logarithm(const Range& range) : edge_(range) {}
  [[nodiscard]] std::string text(const std::string& name) const override {
    return fmt::format("log({})", edge_.text(name));
  }
  [[nodiscard]] Expression at_state(Expression x) const override { return log(edge_.distance(x)); }
  [[nodiscard]] double at_state(double x) const override { return std::log(edge_.distance(x)); }
  // exp(u + d) as e^u e^d: e^u is the state, which costs nothing.
  [[nodiscard]] Expression state(Expression place, Expression u) const override {
    const Node& node = place.node();
    const bool is_moved = node.op == Op::add && (node.a == u.id() || node.b == u.id());
    const NodeId distance = node.a == u.id() ? node.b : node.a;
    return edge_.at_distance(is_moved ? exp(u) * exp(place.graph().at(distance)) : exp(place));
  }
  [[nodiscard]] Expression stretch(Expression x, Expression /*u*/) const override {
    return edge_.sign() * edge_.distance(x);
  }
  [[nodiscard]] double stretch(double x) const override { return edge_.sign() * edge_.distance(x); }
  [[nodiscard]] Expression turn(Expression x, Expression /*u*/) const override { return one_of(x); }
  [[nodiscard]] double turn(double x) const override { return one_of(x); }
  [[nodiscard]] std::pair<Expression, Expression> shortcut(Expression x,
                                                           Expression u) const override {
    return {exp(-u), 1.0 / edge_.distance(x)};
  }

 private:
  Edge edge_;
};

class Logit final : public Coordinate {
 public:
  explicit Logit(const Range& range) : range_(range) {}
  [[nodiscard]] std::string text(const std::string& name) const override {
    return fmt::format("log(({0} - {1})/({2} - {0}))", name, range_.lower, range_.upper);
  }
  // Distances are kept from rounding to zero: a path may come so near to an end, and return.
  [[nodiscard]] Expression at_state(Expression x) const override {
    Graph& g = x.graph();
    return log(max(x - range_.lower, g.constant(least(range_.lower)))) -
           log(max(range_.upper - x, g.constant(least(range_.upper))));
  }
  [[nodiscard]] double at_state(double x) const override {
    return std::log(std::max(x - range_.lower, least(range_.lower))) -
           std::log(std::max(range_.upper - x, least(range_.upper)));
  }
  [[nodiscard]] Expression state(Expression place, Expression /*u*/) const override {
    return range_.lower + width() / (1.0 + exp(-place));
  }
  [[nodiscard]] Expression stretch(Expression x, Expression /*u*/) const override {
    return stretched(x);
  }
  [[nodiscard]] double stretch(double x) const override { return stretched(x); }
  [[nodiscard]] Expression turn(Expression x, Expression /*u*/) const override { return turned(x); }
  [[nodiscard]] double turn(double x) const override { return turned(x); }
  [[nodiscard]] std::pair<Expression, Expression> shortcut(Expression x,
                                                           Expression u) const override {
    return {exp(-u), (range_.upper - x) / (x - range_.lower)};
  }

 private:
  [[nodiscard]] double width() const { return range_.upper - range_.lower; }
  [[nodiscard]] static double least(double end) { return std::max(1e-300, 1e-16 * std::fabs(end)); }
  template <class Number>
  [[nodiscard]] Number stretched(Number x) const {
    return (x - range_.lower) * (range_.upper - x) / width();
  }
  template <class Number>
  [[nodiscard]] Number turned(Number x) const {
    return ((range_.lower + range_.upper) - 2.0 * x) / width();
  }

  Range range_;
};

Expression at(Expression f, Expression x, double value) {
  Graph& g = f.graph();
  return substitute(g, std::vector{f}, std::vector{x}, std::vector{g.constant(value)}).front();
}

// u' = z + dt beta/u'.
Expression pulled_up(Expression z, Expression beta, Expression dt) {
  return 0.5 * (z + sqrt(z * z + 4.0 * dt * beta));
}

// Of a root: what the noise c sqrt(...) and the drift are made of.
struct Root {
  std::vector<Expression> half_noise;  // c/2
  Expression half_variance;            // c^2/8
};

Root root_of(Expression x, std::span<const Expression> noise, double place, double root_there) {
  Root result{{}, x.graph().constant(0.0)};
  for (const Expression& amplitude : noise) {
    const Expression half = at(amplitude, x, place) * (0.5 / root_there);
    result.half_noise.push_back(half);
    result.half_variance = result.half_variance + 0.5 * half * half;
  }
  return result;
}

bool is_linear(Expression f, Expression x) { return !depends_on(derivative(f, x), {&x, 1}); }

class SquareRoot final : public Coordinate {
 public:
  explicit SquareRoot(const Range& range) : edge_(range) {}
  [[nodiscard]] std::string text(const std::string& name) const override {
    return fmt::format("sqrt({})", edge_.text(name));
  }
  [[nodiscard]] bool is_root() const override { return true; }
  [[nodiscard]] Expression at_state(Expression x) const override { return sqrt(edge_.distance(x)); }
  [[nodiscard]] double at_state(double x) const override { return std::sqrt(edge_.distance(x)); }
  [[nodiscard]] Expression state(Expression place, Expression /*u*/) const override {
    return edge_.at_distance(place * place);
  }
  [[nodiscard]] Expression stretch(Expression /*x*/, Expression u) const override {
    return 2.0 * edge_.sign() * u;
  }
  [[nodiscard]] double stretch(double x) const override { return 2.0 * edge_.sign() * at_state(x); }
  [[nodiscard]] Expression turn(Expression /*x*/, Expression u) const override { return 1.0 / u; }
  [[nodiscard]] double turn(double x) const override { return 1.0 / at_state(x); }
  [[nodiscard]] std::pair<Expression, Expression> shortcut(Expression x,
                                                           Expression u) const override {
    return {u * u, edge_.distance(x)};
  }
  // The drift is (F - F(a))/(2u) beside the pull: for a linear F no more than F' u/2.
  [[nodiscard]] Equation equation(Expression x, Expression u, Expression drift,
                                  std::span<const Expression> noise) const override {
    const Root root = root_of(x, noise, edge_.at_distance(1.0), 1.0);
    const Expression at_end = at(drift, x, edge_.place());
    const Expression smooth =
        is_linear(drift, x) ? 0.5 * derivative(drift, x) * u : (drift - at_end) / stretch(x, u);
    std::vector<Expression> half_noise = root.half_noise;
    for (Expression& amplitude : half_noise) amplitude = edge_.sign() * amplitude;
    return {smooth, half_noise, {0.5 * edge_.sign() * at_end - root.half_variance}};
  }
  [[nodiscard]] Expression landed(Expression z, Expression u, std::span<const Expression> pulls,
                                  Expression dt) const override {
    return state(pulled_up(z, pulls.front(), dt), u);
  }

 private:
  Edge edge_;
};

class ArcSine final : public Coordinate {
 public:
  explicit ArcSine(const Range& range) : range_(range) {}
  [[nodiscard]] std::string text(const std::string& name) const override {
    if (range_ == Range{0.0, 1.0}) return fmt::format("asin(sqrt({}))", name);
    return fmt::format("asin(sqrt(({} - {})/{}))", name, range_.lower, width());
  }
  [[nodiscard]] bool is_root() const override { return true; }
  [[nodiscard]] Expression at_state(Expression x) const override {
    return atan(sqrt((x - range_.lower) / (range_.upper - x)));
  }
  [[nodiscard]] double at_state(double x) const override {
    return std::atan(std::sqrt((x - range_.lower) / (range_.upper - x)));
  }
  [[nodiscard]] Expression state(Expression place, Expression /*u*/) const override {
    const Expression sine = sin(place);
    return range_.lower + width() * (sine * sine);
  }
  [[nodiscard]] Expression stretch(Expression /*x*/, Expression u) const override {
    return 2.0 * width() * (sin(u) * cos(u));
  }
  [[nodiscard]] double stretch(double x) const override {
    return 2.0 * std::sqrt((x - range_.lower) * (range_.upper - x));
  }
  [[nodiscard]] Expression turn(Expression /*x*/, Expression u) const override {
    return (cos(u) / sin(u)) - (sin(u) / cos(u));
  }
  [[nodiscard]] double turn(double x) const override {
    return (range_.lower + range_.upper - 2.0 * x) /
           std::sqrt((x - range_.lower) * (range_.upper - x));
  }
  [[nodiscard]] std::pair<Expression, Expression> shortcut(Expression x,
                                                           Expression u) const override {
    return {sin(u) * sin(u), (x - range_.lower) / width()};
  }
  // A linear drift is beta_a cot u - beta_b tan u; what a drift has beside its chord comes on top.
  [[nodiscard]] Equation equation(Expression x, Expression u, Expression drift,
                                  std::span<const Expression> noise) const override {
    const Root root = root_of(x, noise, range_.lower + 0.5 * width(), 0.5 * width());
    const Expression at_lower = at(drift, x, range_.lower);
    const Expression at_upper = at(drift, x, range_.upper);
    const Expression up = at_lower / (2.0 * width()) - root.half_variance;
    const Expression down = -(at_upper / (2.0 * width())) - root.half_variance;
    Expression smooth =
        up * smooth_cotangent(u) - down * (smooth_cotangent(half_pi - u) + 1.0 / half_pi);
    if (!is_linear(drift, x)) {
      const Expression share = (x - range_.lower) / width();
      const Expression chord = at_lower + (at_upper - at_lower) * share;
      smooth = smooth + (drift - chord) / stretch(x, u);
    }
    return {smooth, root.half_noise, {up, down}};
  }
  [[nodiscard]] Expression landed(Expression z, Expression u, std::span<const Expression> pulls,
                                  Expression dt) const override {
    const Expression first = pulled_up(z, pulls[0], dt);
    const Expression pull = dt * pulls[1] / half_pi;
    const Expression left = half_pi - first;
    const Expression sum = half_pi + first;
    const Expression root = sqrt(left * left + pull * (2.0 * sum + pull));
    return state((2.0 * half_pi) * first / (sum + pull + root), u);
  }

 private:
  [[nodiscard]] double width() const { return range_.upper - range_.lower; }
  // cot v - 1/v.
  [[nodiscard]] static Expression smooth_cotangent(Expression v) {
    return cos(v) / sin(v) - 1.0 / v;
  }

  Range range_;
};

// --- which coordinate --------------------------------------------------------------------------

// Drift and noise of one state in numbers, the state at some places and all else elsewhere.
class Probe {
 public:
  Probe(const Model& model, std::size_t row) : model_(model), row_(row) {
    for (const NoiseEntry& entry : model.noise()) {
      if (entry.row == row) amplitudes_.push_back(entry.amplitude);
    }
  }

  // Is every amplitude a number times `root`, a function of the state, wherever that is?
  template <class Root>
  [[nodiscard]] bool has_shape(const std::vector<double>& places, const Root& root) const {
    constexpr double rounding = 1e-9;
    for (const double scale : {0.3, 1.0, 3.0}) {
      std::vector<double> first;
      for (const double place : places) {
        std::vector<double> now = amplitudes_at(place, scale);
        for (double& amplitude : now) amplitude /= root(place);
        if (first.empty()) first = now;
        for (std::size_t k = 0; k < now.size(); ++k) {
          const bool is_equal = std::fabs(now[k] - first[k]) <= rounding * std::fabs(first[k]);
          if (!is_equal || first[k] == 0.0) return false;
        }
      }
    }
    return !amplitudes_.empty();
  }

 private:
  [[nodiscard]] std::vector<double> amplitudes_at(double place, double scale) const {
    std::vector<double> x = somewhere(model_, scale);
    x[row_] = place;
    std::vector<double> inputs = model_.input_values(x, model_.time().start);
    for (const Parameter& p : model_.parameters()) {
      const double moved = p.value + 0.1 * (scale - 1.0) * (std::fabs(p.value) + 0.1);
      const bool is_inside = moved > p.lower && moved < p.upper;
      inputs[model_.graph()->node(p.node).a] = is_inside ? moved : p.value;
    }
    return evaluate(*model_.graph(), amplitudes_, inputs);
  }

  const Model& model_;
  std::size_t row_;
  std::vector<NodeId> amplitudes_;
};

// The least of 2F(a)/c^2 at the ends, 1 being Feller's bound; none where the pulls depend on
// states.
std::optional<double> feller_ratio(const Model& model, std::size_t row, const Coordinate& root) {
  Graph graph(*model.graph());
  std::vector<Expression> states;
  for (const State& state : model.states()) states.push_back(graph.at(state.node));
  std::vector<Expression> noise;
  for (const NoiseEntry& entry : model.noise()) {
    if (entry.row == row) noise.push_back(graph.at(entry.amplitude));
  }
  const Coordinate::Equation found =
      root.equation(states[row], graph.input("u"), graph.at(model.drift()[row]), noise);
  Expression half_variance = graph.constant(0.0);
  for (const Expression& half : found.noise) half_variance = half_variance + 0.5 * half * half;
  std::vector<double> inputs =
      model.input_values(std::vector<double>(model.dimension()), model.time().start);
  inputs.push_back(0.0);
  if (depends_on(half_variance, states)) return std::nullopt;
  double least = std::numeric_limits<double>::infinity();
  for (const Expression& pull : found.pulls) {
    if (depends_on(pull, states)) return std::nullopt;
    const double ratio = evaluate(pull, inputs) / evaluate(half_variance, inputs);
    least = std::min(least, 0.5 * (ratio + 1.0));
  }
  return least;
}

std::shared_ptr<const Coordinate> root_in(const Model& model, std::size_t row, const Range& range) {
  if (model.dynamics() == Dynamics::map || range.is_whole()) return nullptr;
  const Probe probe(model, row);
  std::shared_ptr<const Coordinate> root;
  if (range.is_finite()) {
    const double width = range.upper - range.lower;
    const std::vector<double> places{range.lower + 0.5 * width, range.lower + 0.1 * width,
                                     range.lower + 0.3 * width, range.lower + 0.85 * width};
    const auto shape = [&](double x) { return std::sqrt((x - range.lower) * (range.upper - x)); };
    if (probe.has_shape(places, shape)) root = std::make_shared<ArcSine>(range);
  } else {
    const Edge edge(range);
    const std::vector<double> places{edge.at_distance(1.0), edge.at_distance(0.01),
                                     edge.at_distance(0.3), edge.at_distance(20.0)};
    const auto shape = [&](double x) { return std::sqrt(edge.distance(x)); };
    if (probe.has_shape(places, shape)) root = std::make_shared<SquareRoot>(range);
  }
  constexpr double rounding = 1e-12;
  if (root == nullptr) return nullptr;
  return feller_ratio(model, row, *root).value_or(0.0) >= 1.0 - rounding ? root : nullptr;
}

// Does a state start inside, for sure?
bool starts_inside(const Model& model, std::size_t row, const Range& range) {
  switch (model.initial()[row].kind) {
    case InitialKind::normal:
      return false;
    case InitialKind::lognormal:
      return range.lower <= 0.0 && std::isinf(range.upper);
    case InitialKind::point:
      return range.contains(model.initial_mean()[row]);
    case InitialKind::samples:
      break;
  }
  if (!model.samples() || model.samples()->cols != model.dimension()) return false;
  for (std::size_t r = 0; r < model.samples()->rows; ++r) {
    if (!range.contains((*model.samples())(r, row))) return false;
  }
  return true;
}

std::shared_ptr<const Coordinate> coordinate_of(const Model& model, std::size_t row) {
  const Range& range = model.states()[row].range;
  if (range.is_whole()) {
    if (!model.is_stepped_in_roots()) return nullptr;
    for (const Range& tried : {Range::positive(), Range{0.0, 1.0}}) {
      if (!starts_inside(model, row, tried)) continue;
      if (auto root = root_in(model, row, tried)) return root;
    }
    return nullptr;
  }
  if (auto root = root_in(model, row, range)) return root;
  if (range.is_finite()) return std::make_shared<Logit>(range);
  return std::make_shared<Logarithm>(range);
}

}  // namespace

std::vector<std::shared_ptr<const Coordinate>> coordinates(const Model& model) {
  std::vector<std::shared_ptr<const Coordinate>> result(model.dimension());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = coordinate_of(model, i);
  return result;
}

std::optional<std::string> faint_noise(const Model& model) {
  constexpr double near = 2.0;
  const auto all = coordinates(model);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == nullptr || !all[i]->is_root() || *feller_ratio(model, i, *all[i]) >= near) {
      continue;
    }
    Graph graph(*model.graph());
    const Expression root = graph.at(model.states()[i].node);
    for (const NoiseEntry& entry : model.noise()) {
      if (entry.row == i || !depends_on(graph.at(entry.amplitude), {&root, 1})) continue;
      return fmt::format(
          "The noise of {0} changes with {1}, and {1} comes so near to its end that "
          "weights along the paths have no variance.",
          model.states()[entry.row].name, model.states()[i].name);
    }
  }
  return std::nullopt;
}

std::vector<std::string> coordinates_in_words(const Model& model) {
  std::vector<std::string> sentences;
  const auto declared = coordinates(model);
  const auto possible = coordinates(model.stepped_in_roots());
  for (std::size_t i = 0; i < declared.size(); ++i) {
    if (possible[i] == nullptr) continue;
    const std::string& name = model.states()[i].name;
    sentences.push_back(fmt::format("{} is stepped in {}{}{}.", name, possible[i]->text(name),
                                    possible[i]->is_root() ? ", by implicit steps" : "",
                                    declared[i] != nullptr ? "" : ", where paths meet its end"));
  }
  return sentences;
}

}  // namespace divker
