// Random models as texts, with an observable each. A seed always gives the same text, so that what
// is found can be printed and replayed: `divker response MODEL --observable ...`.
//
// One to four states. Drifts contract at least like -0.5 x far out, couplings are bounded. A state
// is plain, a square root process that may come near zero, positive, or silent (no noise of its
// own). Some equations and observables have kinks and jumps, some of which a parameter moves.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace divker::test {

struct RandomModel {
  std::uint64_t seed = 0;
  std::string text;
  std::string observable;
};

// Draws that are the same with every standard library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  [[nodiscard]] double between(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11U) * 0x1p-53;
  }
  [[nodiscard]] bool chance(double probability) { return between(0.0, 1.0) < probability; }
  [[nodiscard]] std::size_t below(std::size_t count) { return engine_() % count; }
  [[nodiscard]] std::string number(double low, double high) {
    return fmt::format("{:.2f}", between(low, high));
  }
  template <class Items>
  [[nodiscard]] auto one_of(const Items& items) {
    return items[below(items.size())];
  }

 private:
  std::mt19937_64 engine_;
};

class ModelWriter {
 public:
  explicit ModelWriter(std::uint64_t seed) : seed_(seed), dice_(seed) {}

  [[nodiscard]] RandomModel write() {
    const std::size_t count = dice_.one_of(std::vector<std::size_t>{1, 1, 1, 2, 2, 2, 3, 4});
    const std::vector<std::string> all{"x", "y", "z", "u"};
    names_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    has_kinks_ = dice_.chance(0.4);
    for (std::size_t i = 0; i < count; ++i) draw_state(i);
    std::string equations;
    for (std::size_t i = 0; i < count; ++i) equations += equation(i);
    const std::string observable = draw_observable();
    std::string text = fmt::format("model random{}\n", seed_);
    for (const std::string& line : parameters_) text += line;
    text += equations;
    const std::string step =
        dice_.one_of(std::vector<std::string>{"0.01", "0.02", "0.025", "0.05"});
    const std::string end = dice_.one_of(std::vector<std::string>{"0.5", "1", "1", "2"});
    text += fmt::format("time 0 : {} : {}{}\n", step, end, dice_.chance(0.05) ? " tamed 5" : "");
    return {seed_, text, observable};
  }

 private:
  enum class Role { plain, root, positive, silent };

  // A number, or a parameter of that value, which the first number of a model is.
  std::string free_number(double low, double high, double probability = 0.6) {
    constexpr std::size_t most_parameters = 4;
    const std::string value = dice_.number(low, high);
    if (parameters_.empty()) probability = 1.0;
    if (parameters_.size() >= most_parameters || !dice_.chance(probability)) return value;
    const std::string name = fmt::format("p{}", parameters_.size());
    const char* bounds = low > 0.0 ? " in (0, inf)" : "";
    parameters_.push_back(fmt::format("param {} = {}{}\n", name, value, bounds));
    return name;
  }

  Role draw_role(std::size_t i) {
    if (dice_.chance(0.15)) return Role::root;
    if (dice_.chance(0.12)) return Role::positive;
    return i > 0 && dice_.chance(0.25) ? Role::silent : Role::plain;
  }

  // Some plain states live far from zero, as temperatures in kelvin do.
  void draw_state(std::size_t i) {
    roles_.push_back(draw_role(i));
    const bool is_far = roles_[i] == Role::plain && dice_.chance(0.1);
    centres_.push_back(is_far ? std::floor(dice_.between(10.0, 400.0)) : 0.0);
    if (!is_far) {
      states_.push_back(names_[i]);
      return;
    }
    states_.push_back(fmt::format("({} - {})", names_[i], free_number(centres_[i], centres_[i])));
  }

  std::string equation(std::size_t i) {
    const std::string& x = names_[i];
    const Role role = roles_[i];
    const std::string declared =
        fmt::format("state {}{}\n", x, role == Role::positive ? " positive" : "");
    const std::string sum = role == Role::positive ? growth(x) : drift(i, role);
    const std::string noises = role == Role::silent ? "" : noise(i, role);
    return fmt::format("{}d{} = ({}) dt{}\ninit {} {}\n", declared, x, sum, noises, x,
                       initial_law(i));
  }

  std::string growth(const std::string& x) {
    return fmt::format("{}*{}*({} - {})", free_number(0.3, 1.2), x, free_number(0.6, 1.5), x);
  }

  std::string drift(std::size_t i, Role role) {
    const std::string& x = states_[i];
    if (role == Role::root) {
      return fmt::format("{}*({} - {})", free_number(0.5, 2.0), free_number(0.2, 1.5), x);
    }
    std::string sum = fmt::format("-{}*{}", free_number(0.5, 2.0), x);
    if (dice_.chance(0.2)) sum = fmt::format("{}*{} - {}^3", free_number(0.3, 1.2), x, x);
    if (role == Role::silent) sum += fmt::format(" + {}*{}", free_number(0.5, 1.5), states_[0]);
    if (dice_.chance(0.5)) sum += " + " + bounded(x);
    if (dice_.chance(0.3))
      sum += fmt::format(" + {}*cos({}*t)", free_number(0.2, 1.0), free_number(1.0, 20.0, 0.3));
    for (std::size_t j = 0; j < states_.size(); ++j) {
      if (j != i && dice_.chance(0.5)) sum += " + " + bounded(states_[j]);
    }
    if (has_kinks_ && dice_.chance(0.7)) sum += " + " + kink(dice_.below(states_.size()));
    return sum;
  }

  std::string bounded(const std::string& v) {
    const std::string a = free_number(0.2, 1.0);
    switch (dice_.below(6)) {
      case 0:
        return fmt::format("{}*sin({}*{})", a, free_number(0.5, 5.0, 0.3), v);
      case 1:
        return fmt::format("{}*tanh({})", a, v);
      case 2:
        return fmt::format("{}*exp(-{}^2)", a, v);
      case 3:
        return fmt::format("{}*{}/(1 + {}^2)", a, v, v);
      case 4:
        return fmt::format("{}*cos({} - {})", a, v, free_number(0.1, 1.0));
      default:
        return a;
    }
  }

  // A number near state i, or near zero where `is_view` speaks of it as states_ does.
  std::string place_near(std::size_t i, bool is_view) {
    const double centre = is_view ? 0.0 : centres_[i];
    const double reach = dice_.chance(0.2) ? 1.5 : 0.5;
    return free_number(centre - reach, centre + reach, 0.4);
  }

  // Where a state meets a place, with slopes less than what contracts.
  std::string kink(std::size_t i) {
    const bool is_view = dice_.chance(0.5);
    const std::string v = is_view ? states_[i] : names_[i];
    const std::string b = place_near(i, is_view);
    const std::string a = free_number(0.2, 0.8);
    const std::string distance = fmt::format("({} - {})", v, b);
    switch (dice_.below(14)) {
      case 0:
        return fmt::format("{}*abs{}", a, distance);
      case 1:
        return fmt::format("{}*max({}, 0)", a, distance);
      case 2:
        return fmt::format("{}*min({}, {})", a, distance, dice_.one_of(states_));
      case 3:
        return fmt::format("{}*sign{}", a, distance);
      case 4:
        return fmt::format("{}*step({}, {})", a, v, b);
      case 5:
        return fmt::format("if({} > {}, {}, -0.3*{})", v, b, a, states_[i]);
      case 6:
        return fmt::format("if({} > {} and t > 0.2, {}, 0)", v, b, a);
      case 7:
        return fmt::format("max(min({}, {}), -0.6)", distance, a);
      case 8:
        return fmt::format("if(t < {}, {}, 0)", free_number(0.2, 0.4, 0.7), a);
      case 9:
        return fmt::format("0.2*floor({}*{})", a, states_[i]);
      case 10:
        return fmt::format("{}*sqrt(abs{})", a, distance);
      case 11:
        return fmt::format("{}*abs{}^{}", a, distance, free_number(0.6, 1.4));
      case 12:
        return fmt::format("{}*mod({}, 1)", a, v);
      default:
        return fmt::format("-{}*{}*abs{}", a, distance, distance);
    }
  }

  std::string noise(std::size_t i, Role role) {
    const std::string own = fmt::format(" + {} dW{}", amplitude(i, role), i);
    if (role != Role::plain || states_.size() == 1 || !dice_.chance(0.25)) return own;
    const std::size_t j = (i + 1) % states_.size();
    const std::string shared =
        dice_.chance(0.5) ? free_number(0.1, 0.4) : fmt::format("0.3*cos({})", states_[j]);
    return fmt::format("{} + {} dW{}", own, shared, j);
  }

  std::string amplitude(std::size_t i, Role role) {
    const std::string& x = states_[i];
    const std::string s = free_number(0.3, 0.9);
    if (role == Role::root) return root_of(s, x);
    if (role == Role::positive) return fmt::format("{}*{}", s, x);
    if (has_kinks_ && dice_.chance(0.25)) return jagged(s, x);
    switch (dice_.below(9)) {
      case 0:
        return fmt::format("{}*(1 + 0.3*sin({}))", s, x);
      case 1:
        return fmt::format("{}*sqrt(1 + {}^2)", s, x);
      case 2:
        return fmt::format("{}*(1 + 0.4*tanh({}))", s, dice_.one_of(states_));
      case 3:
        return fmt::format("{}*sqrt({} + {}^2)", s, free_number(0.02, 0.4), x);
      case 4:
        return dice_.chance(0.3) ? fmt::format("{}*{}", s, x) : s;
      default:
        return s;
    }
  }

  std::string root_of(const std::string& s, const std::string& x) {
    switch (dice_.below(4)) {
      case 0:
        return fmt::format("{}*sqrt(max({}, 0))", s, x);
      case 1:
        return fmt::format("{}*sqrt(abs({}))", s, x);
      default:
        return fmt::format("{}*sqrt({})", s, x);
    }
  }

  std::string jagged(const std::string& s, const std::string& x) {
    switch (dice_.below(4)) {
      case 0:
        return fmt::format("{}*(0.5 + abs({}))", s, x);
      case 1:
        return fmt::format("{}*max(0.4, {})", s, x);
      case 2:
        return fmt::format("if({} > {}, {}, 0.5)", x, free_number(-0.5, 0.5, 0.4), s);
      default:
        return fmt::format("{}*(1 + 0.5*step({}, 0))", s, x);
    }
  }

  std::string initial_law(std::size_t i) {
    const Role role = roles_[i];
    const double centre = centres_[i];
    const double kind = dice_.between(0.0, 1.0);
    if (role == Role::root || role == Role::positive) {
      if (kind < 0.5) return "= " + free_number(0.3, 1.5, 0.2);
      return fmt::format("~ lognormal({}, {})", free_number(-0.5, 0.2, 0.3),
                         dice_.number(0.2, 0.6));
    }
    if (kind < (role == Role::silent ? 0.1 : 0.3))
      return "= " + free_number(centre - 1.0, centre + 1.0, 0.3);
    if (kind < 0.4 && centre == 0.0)
      return fmt::format("~ lognormal({}, {})", free_number(-0.5, 0.2, 0.3), 0.4);
    return fmt::format("~ normal({}, {})", free_number(centre - 1.0, centre + 1.0, 0.3),
                       free_number(0.3, 1.0, 0.3));
  }

  std::string draw_observable() {
    const std::size_t i = dice_.below(states_.size());
    const std::string x = states_[i];
    const std::string y = dice_.one_of(states_);
    if (dice_.chance(0.3)) return jagged_observable(i, y);
    switch (dice_.below(9)) {
      case 0:
        return x;
      case 1:
        return fmt::format("{}^2", x);
      case 2:
        return fmt::format("{}*{}", x, y);
      case 3:
        return fmt::format("sin(2*{})", x);
      case 4:
        return fmt::format("log(1 + {}^2) + {}", x, y);
      case 5:
        return fmt::format("exp(-{}^2)", x);
      case 6:
        return fmt::format("p0*{}^2", x);
      case 7:
        return fmt::format("{}^4", x);
      default:
        return fmt::format("{} + tanh({})", x, y);
    }
  }

  std::string jagged_observable(std::size_t i, const std::string& y) {
    const bool is_view = dice_.chance(0.5);
    const std::string x = is_view ? states_[i] : names_[i];
    const std::string c = place_near(i, is_view);
    switch (dice_.below(7)) {
      case 0:
        return fmt::format("abs({} - {})", x, c);
      case 1:
        return fmt::format("max({}, {})", states_[i], y);
      case 2:
        return fmt::format("min({}, {})", x, c);
      case 3:
        return fmt::format("step({}, {})", x, c);
      case 4:
        return fmt::format("if({} > {}, {}, 0)", x, c, y);
      case 5:
        return fmt::format("exp(-8*({} - {})^2)", x, c);
      default:
        return fmt::format("sign({})*{}^2", states_[i], y);
    }
  }

  std::uint64_t seed_;
  Dice dice_;
  bool has_kinks_ = false;
  std::vector<std::string> names_;
  std::vector<std::string> states_;  // as they stand in expressions: less their centres
  std::vector<double> centres_;
  std::vector<Role> roles_;
  std::vector<std::string> parameters_;  // their declarations
};

[[nodiscard]] inline RandomModel random_model(std::uint64_t seed) {
  return ModelWriter(seed).write();
}

}  // namespace divker::test
