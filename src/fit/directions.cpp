#include "fit/directions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/names.hpp"

namespace divker::fit {
namespace {

// Each parameter of such a combination is known ten times better when the others are.
constexpr double weak_eigenvalue = 0.01;
constexpr double too_noisy = 0.4;
constexpr std::size_t most_reported = 4;
constexpr double small_part = 0.15;
constexpr double nearly_equal = 0.15;

struct Component {
  const Parameter* parameter = nullptr;
  double change = 0.0;  // of its free coordinate along the direction

  [[nodiscard]] bool is_logarithmic() const {
    return parameter->lower == 0.0 && std::isinf(parameter->upper);
  }
};

bool is_weak(const Spectrum& spectrum, Eigen::Index k) {
  return spectrum.values[k] < std::max(weak_eigenvalue, 2.0 * spectrum.noise[k]);
}

std::size_t weak_count(const Spectrum& spectrum) {
  std::size_t count = 0;
  while (static_cast<Eigen::Index>(count) < spectrum.values.size() &&
         is_weak(spectrum, static_cast<Eigen::Index>(count))) {
    ++count;
  }
  return count;
}

// Two parameters that trade against each other one to one.
std::string pair(const Component& a, const Component& b) {
  const double ratio = b.change / a.change;
  if (std::fabs(std::fabs(ratio) - 1.0) > nearly_equal) return "";
  const bool opposed = ratio < 0.0;
  std::string combination;
  if (a.is_logarithmic() && b.is_logarithmic()) {
    combination =
        fmt::format("{} {} {}", a.parameter->name, opposed ? "*" : "/", b.parameter->name);
  } else if (std::isinf(a.parameter->lower) && std::isinf(a.parameter->upper) &&
             std::isinf(b.parameter->lower) && std::isinf(b.parameter->upper)) {
    combination =
        fmt::format("{} {} {}", a.parameter->name, opposed ? "+" : "-", b.parameter->name);
  } else {
    return "";
  }
  return fmt::format("{} and {} are determined only through {}", a.parameter->name,
                     b.parameter->name, combination);
}

std::string in_words(const std::vector<Component>& components) {
  if (components.size() == 1) {
    return fmt::format("{} is hardly determined", components.front().parameter->name);
  }
  if (components.size() == 2) {
    std::string words = pair(components[0], components[1]);
    if (!words.empty()) return words;
  }
  std::vector<std::string> up;
  std::vector<std::string> down;
  for (const Component& component : components) {
    (component.change > 0.0 ? up : down).push_back(component.parameter->name);
  }
  if (down.empty() || up.empty()) {
    return fmt::format("a common change of {} is hardly determined",
                       list_of(up.empty() ? down : up));
  }
  return fmt::format("raising {} while lowering {} is hardly noticed by the data", list_of(up),
                     list_of(down));
}

// `vector`: of a direction over `scale`.
std::vector<Component> components_of(const Model& model, const std::vector<std::size_t>& parameters,
                                     const Eigen::VectorXd& vector, const Eigen::VectorXd& scale) {
  const Eigen::VectorXd main = main_part(vector);
  std::vector<Component> components;
  for (Eigen::Index i = 0; i < main.size(); ++i) {
    if (main[i] == 0.0) continue;
    const Parameter& parameter = model.parameters()[parameters[static_cast<std::size_t>(i)]];
    components.push_back({&parameter, scale[i] * main[i]});
  }
  return components;
}

}  // namespace

Eigen::VectorXd main_part(const Eigen::VectorXd& direction) {
  const double least = small_part * direction.cwiseAbs().maxCoeff();
  return (direction.array().abs() < least).select(0.0, direction);
}

std::vector<std::string> unnoticed_directions(const Model& model,
                                              const std::vector<std::size_t>& parameters,
                                              const Eigen::MatrixXd& directions,
                                              const Eigen::VectorXd& scale) {
  std::vector<std::string> words;
  for (const auto& direction : directions.colwise()) {
    if (words.size() == most_reported) {
      words.push_back(fmt::format("{} more combinations",
                                  static_cast<std::size_t>(directions.cols()) - most_reported));
      break;
    }
    words.push_back(in_words(components_of(model, parameters, direction, scale)));
  }
  return words;
}

std::vector<std::string> weak_directions(const Model& model,
                                         const std::vector<std::size_t>& parameters,
                                         const Spectrum& spectrum) {
  std::vector<std::string> words;
  if (spectrum.largest_noise() > too_noisy && spectrum.values.size() > 1) {
    return {"these paths are too few to tell which combinations are; more --paths may tell"};
  }
  for (Eigen::Index k = 0; k < spectrum.values.size(); ++k) {
    if (!is_weak(spectrum, k)) break;
    const bool drowned = spectrum.values[k] < 2.0 * spectrum.noise[k];
    if (words.size() == most_reported) {
      words.push_back(fmt::format("{} more combinations", weak_count(spectrum) - most_reported));
      break;
    }
    words.push_back(
        in_words(components_of(model, parameters, spectrum.vectors.col(k), spectrum.scale)) +
        (drowned ? " (within the noise of these paths: more paths may tell)" : ""));
  }
  return words;
}

}  // namespace divker::fit
