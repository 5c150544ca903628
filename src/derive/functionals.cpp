#include "derive/functionals.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "derive/symbols.hpp"
#include "divker/boundaries.hpp"
#include "divker/step.hpp"

namespace divker::derive {
namespace {

// One program and its graph, extended.
class Extension {
 public:
  Extension(const Model& model, const Asked& asked, Program program, Moment moment)
      : model_(model),
        asked_(asked),
        moment_(moment),
        program_(std::move(program)),
        graph_(std::make_shared<Graph>(*program_.graph)),
        is_map_(model.dynamics() == Dynamics::map) {
    for (const State& state : model.states()) states_.push_back(graph_->at(state.node));
    for (const std::size_t p : asked.wrt) gamma_.push_back(graph_->at(model.parameters()[p].node));
    arrival_ = result(state_array);
    read_time();
  }

  Program run() {
    Vector values;
    Vector tangents;
    if (moment_ != Moment::start) {
      value_ = inputs("path", asked_.functionals.size());
      if (carries_tangents()) {
        tangent_ = inputs("path_v", asked_.functionals.size() * gamma_.size());
      }
      amplitudes();
      find_bridges();
    }
    for (std::size_t q = 0; q < asked_.functionals.size(); ++q) {
      const PathFunctional& one = model_.functionals()[asked_.functionals[q]];
      if (moment_ == Moment::start) {
        begin(one, values, tangents);
      } else {
        advance(one, q, values, tangents);
      }
    }
    if (moment_ != Moment::start) {
      program_.arguments.push_back({functional_array, Role::carried, ids(value_)});
      if (carries_tangents()) {
        program_.arguments.push_back({functional_tangent_array, Role::carried, ids(tangent_)});
      }
      if (!inside_.empty()) program_.arguments.push_back({"inside", Role::inside, ids(inside_)});
    }
    program_.results.push_back({functional_array, ids(values), Fate::replaced, true});
    if (carries_tangents()) {
      program_.results.push_back({functional_tangent_array, ids(tangents), Fate::replaced, true});
    }
    program_.graph = graph_;
    return std::move(program_);
  }

 private:
  [[nodiscard]] bool carries_tangents() const { return !gamma_.empty(); }
  [[nodiscard]] Expression zero() const { return graph_->constant(0.0); }
  Vector inputs(const std::string& name, std::size_t count) {
    Vector made;
    for (std::size_t i = 0; i < count; ++i) {
      made.push_back(graph_->input(name + "[" + std::to_string(i) + "]"));
    }
    return made;
  }
  [[nodiscard]] Vector result(const char* name) const {
    Vector values;
    const Result* found = program_.result(name);
    if (found == nullptr) return values;
    for (const NodeId id : found->values) values.push_back(graph_->at(id));
    return values;
  }
  [[nodiscard]] const Argument* argument(Role role, std::string_view name = {}) const {
    for (const Argument& one : program_.arguments) {
      if (one.role == role && (name.empty() || one.name == name)) return &one;
    }
    return nullptr;
  }

  // The program's own symbols of time; a start has none yet.
  void read_time() {
    time_ = {graph_->at(model_.time_input())};
    for (const Input& input : model_.inputs()) time_.push_back(graph_->at(input.node));
    if (moment_ == Moment::start) {
      Vector all = time_;
      const Vector unused = inputs("input at arrival", model_.inputs().size());
      all.insert(all.end(), unused.begin(), unused.end());
      program_.arguments.push_back({"t", Role::time, ids(all)});
      return;
    }
    dt_ = graph_->at(argument(Role::step_size)->inputs.front());
    const std::vector<NodeId>& all = argument(Role::time)->inputs;
    time_at_arrival_ = {time_.front() + dt_};
    for (std::size_t i = 0; i < model_.inputs().size(); ++i) {
      time_at_arrival_.push_back(graph_->at(all[1 + model_.inputs().size() + i]));
    }
  }

  // S by its entries, as the step has it where paths go beyond the boundaries.
  void amplitudes() {
    for (const NoiseEntry& entry : model_.noise()) {
      amplitudes_.push_back(graph_->at(entry.amplitude));
    }
    if (!asked_.beyond_boundaries) return;
    Vector from;
    Vector to;
    for (const std::size_t i : clamped_states(model_)) {
      from.push_back(states_[i]);
      to.push_back(graph_->binary(Op::where, states_[i], states_[i]));
    }
    amplitudes_ = substitute(*graph_, ended_at_zero(*graph_, amplitudes_, states_), from, to);
  }

  // v = dt sum_k (grad g . S_k)^2.
  [[nodiscard]] Expression variance_of(Expression followed) const {
    if (is_map_) return zero();
    const Vector slopes = gradient(followed, states_);
    std::vector<Vector> by_column(model_.noise_count());
    for (std::size_t e = 0; e < amplitudes_.size(); ++e) {
      const NoiseEntry& entry = model_.noise()[e];
      by_column[entry.column].push_back(slopes[entry.row] * amplitudes_[e]);
    }
    Vector squares;
    for (const Vector& terms : by_column) {
      const Expression moved = sum(*graph_, terms);
      squares.push_back(moved * moved);
    }
    return dt_ * sum(*graph_, squares);
  }

  // An extreme of a step that is drawn, and how many functionals ask for it: those that follow the
  // same on the same side, up to what does not depend on the states.
  struct Bridge {
    Vector slopes;
    Vector normals;
    std::size_t members = 0;
    bool is_told = false;
  };
  void find_bridges() {
    for (const std::size_t q : asked_.functionals) {
      const PathFunctional& one = model_.functionals()[q];
      const Expression followed = graph_->at(one.followed);
      bridge_of_.emplace_back(std::nullopt);
      if (one.kind->side() == 0 || variance_of(followed).is_zero()) continue;
      const Vector slopes = gradient(one.kind->side() > 0 ? followed : -followed, states_);
      const auto known = std::ranges::find(bridges_, slopes, &Bridge::slopes);
      bridge_of_.back() = static_cast<std::size_t>(known - bridges_.begin());
      if (known == bridges_.end()) bridges_.push_back({slopes, draw(2)});
      ++bridges_[*bridge_of_.back()].members;
    }
  }
  Vector draw(std::size_t count) {
    Vector numbers = inputs("inside", count);
    inside_.insert(inside_.end(), numbers.begin(), numbers.end());
    return numbers;
  }

  // d log p/d log v of what a functional has drawn, once for all that share it.
  [[nodiscard]] Expression told_of(const PathFunctional& one, const PathStep& step,
                                   Bridge* bridge) const {
    if (bridge == nullptr || asked_.tangents) return zero();
    if (bridge->members == 1) return one.kind->told(step);
    if (std::exchange(bridge->is_told, true)) return zero();
    return exponential_of(step) - 1.0;
  }

  [[nodiscard]] Expression at_arrival(Expression f, const Vector& from, const Vector& to) const {
    Vector all_from = states_;
    Vector all_to = arrival_;
    all_from.insert(all_from.end(), time_.begin(), time_.end());
    all_to.insert(all_to.end(), time_at_arrival_.begin(), time_at_arrival_.end());
    all_from.insert(all_from.end(), from.begin(), from.end());
    all_to.insert(all_to.end(), to.begin(), to.end());
    return substitute(*graph_, Vector{f}, all_from, all_to).front();
  }

  // How the states move with parameter p where the program begins and where it ends.
  [[nodiscard]] Vector motion_before(std::size_t p) const {
    if (asked_.tangents) {
      Vector moved;
      const std::vector<NodeId>& all = argument(Role::carried, tangent_array)->inputs;
      for (std::size_t i = 0; i < states_.size(); ++i) {
        moved.push_back(graph_->at(all[p * states_.size() + i]));
      }
      return moved;
    }
    return moment_ == Moment::first_step ? motion_of_points(p) : Vector(states_.size(), zero());
  }
  [[nodiscard]] Vector motion_after(std::size_t p) const {
    if (!asked_.tangents) {
      return moment_ == Moment::start ? motion_of_points(p) : Vector(states_.size(), zero());
    }
    const Vector all = result(tangent_array);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(p * states_.size());
    return {begin, begin + static_cast<std::ptrdiff_t>(states_.size())};
  }
  [[nodiscard]] Vector motion_of_points(std::size_t p) const {
    Vector moved(states_.size(), zero());
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const InitialLaw& law = model_.initial()[i];
      if (law.kind == InitialKind::point) moved[i] = derivative(graph_->at(law.a), gamma_[p]);
    }
    return moved;
  }

  // D_p f along a motion of the states.
  [[nodiscard]] Expression along(Expression f, std::size_t p, const Vector& motion) const {
    Vector variables = states_;
    Vector direction = motion;
    variables.push_back(gamma_[p]);
    direction.push_back(graph_->constant(1.0));
    return directional_derivative(*graph_, Vector{f}, variables, direction).front();
  }

  // The start: what is followed at x_0, and how it moves.
  void begin(const PathFunctional& one, Vector& values, Vector& tangents) {
    const Expression followed = graph_->at(one.followed);
    const Expression held = graph_->input("followed");
    const Expression begun = one.kind->start(held, time_.front());
    const Expression slope = one.kind->is_smooth() ? derivative(begun, held) : zero();
    const Vector at_start = substitute(*graph_, Vector{followed}, states_, arrival_);
    values.push_back(substitute(*graph_, Vector{begun}, Vector{held}, at_start).front());
    for (std::size_t p = 0; p < gamma_.size(); ++p) {
      const Vector motion = inputs("motion", states_.size());
      Vector from = states_;
      Vector to = arrival_;
      const Vector moved = motion_after(p);
      from.insert(from.end(), motion.begin(), motion.end());
      to.insert(to.end(), moved.begin(), moved.end());
      const Vector found = substitute(*graph_, Vector{along(followed, p, motion)}, from, to);
      tangents.push_back(slope * found.front());
    }
  }

  void advance(const PathFunctional& one, std::size_t q, Vector& values, Vector& tangents) {
    const Expression before = graph_->at(one.followed);
    const Expression after = at_arrival(before, {}, {});
    const Expression variance = variance_of(before);
    PathStep step;
    step.value = value_[q];
    // Placeholders, which derivatives take one by one.
    const Vector held = inputs("held", 3);
    step.before = held[0];
    step.after = held[1];
    step.variance = held[2];
    step.t = time_.front();
    step.dt = dt_;
    step.has_inside = !is_map_;
    Bridge* bridge = bridge_of_[q] ? &bridges_[*bridge_of_[q]] : nullptr;
    if (bridge != nullptr) {
      step.normals = bridge->normals;
      const Vector more = draw(one.kind->more_normals());
      step.normals.insert(step.normals.end(), more.begin(), more.end());
    }
    const Vector real{before, after, variance};
    const auto filled = [&](Expression f) {
      return substitute(*graph_, Vector{f}, held, real).front();
    };
    const Expression next = one.kind->next(step);
    values.push_back(filled(next));
    if (!carries_tangents()) return;
    const bool is_told = !asked_.tangents && bridge != nullptr;
    const Expression told = filled(told_of(one, step, bridge));
    for (std::size_t p = 0; p < gamma_.size(); ++p) {
      const Vector motion = motion_before(p);
      const Expression variance_moved = along(variance, p, motion);
      const Expression ratio = told * variance_moved;
      if (!ratio.is_zero()) response(p) = response(p) + ratio / variance;
      if (!one.kind->is_smooth()) {
        tangents.push_back(zero());
        continue;
      }
      const Vector after_motion = inputs("motion", states_.size());
      const Expression after_moved =
          at_arrival(along(before, p, after_motion), after_motion, motion_after(p));
      const Vector directions{tangent_[q * gamma_.size() + p], along(before, p, motion),
                              after_moved, is_told ? zero() : variance_moved};
      const Vector variables{value_[q], held[0], held[1], held[2]};
      tangents.push_back(
          filled(directional_derivative(*graph_, Vector{next}, variables, directions).front()));
    }
    store_responses();
  }

  // The sum I_p of the program, to be added to.
  Expression& response(std::size_t p) {
    if (responses_.empty()) responses_ = result(response_array);
    return responses_.at(p);
  }
  void store_responses() {
    if (responses_.empty()) return;
    const auto place = std::ranges::find(program_.results, response_array, &Result::name);
    place->values = ids(responses_);
  }

  const Model& model_;
  const Asked& asked_;
  Moment moment_;
  Program program_;
  std::shared_ptr<Graph> graph_;
  bool is_map_;
  Vector states_;
  Vector gamma_;
  Vector arrival_;
  Vector time_;
  Vector time_at_arrival_;
  Expression dt_;
  Vector amplitudes_;
  Vector value_;
  Vector tangent_;
  Vector inside_;
  std::vector<Bridge> bridges_;
  std::vector<std::optional<std::size_t>> bridge_of_;  // of each functional asked for
  Vector responses_;
};

}  // namespace

Program with_functionals(const Model& model, const Asked& asked, Program program, Moment moment) {
  if (asked.functionals.empty()) return program;
  return Extension(model, asked, std::move(program), moment).run();
}

}  // namespace divker::derive
