#include "fit/far.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "divker/moments.hpp"
#include "fit/marginals.hpp"

namespace divker::fit {
namespace {

constexpr double most_deviations = 20.0;
constexpr double largest_ratio = 30.0;
constexpr std::size_t enough_for_ratio = 5;  // fewer may lie close together by chance
constexpr std::size_t most_sentences = 3;

// Mean and deviation of a mixture, by the weights of its parts.
struct Pool {
  double weight = 0.0, first = 0.0, second = 0.0;  // second: about zero

  void add(const std::vector<double>& values, double share) {
    Moments moments(1);
    for (const double y : values) moments.add({&y, 1});
    const double mean = moments.mean()[0];
    const double variance = values.size() > 1 ? moments.variance(0) : 0.0;
    weight += share;
    first += share * mean;
    second += share * (variance + mean * mean);
  }
  [[nodiscard]] double mean() const { return first / weight; }
  [[nodiscard]] double deviation() const {
    return std::sqrt(std::max(0.0, second / weight - mean() * mean()));
  }
};

// One observed coordinate, at all times.
struct Coordinate {
  std::size_t rows = 0;
  Pool data, model;
};

bool is_far(const Coordinate& one) {
  const double of_data = one.data.deviation();
  const double of_model = one.model.deviation();
  const double apart = std::fabs(one.data.mean() - one.model.mean());
  if (apart > most_deviations * of_model) return true;
  if (of_data > largest_ratio * of_model) return true;
  return one.rows >= enough_for_ratio && of_model > largest_ratio * of_data;
}

// The power of ten by which both mean and deviation differ, to a factor of three; else nothing.
std::string factor_in_words(const Coordinate& one) {
  constexpr double half_a_decade = 0.5;
  const double of_means = std::log10(one.data.mean() / one.model.mean());
  const double of_deviations = std::log10(one.data.deviation() / one.model.deviation());
  const double exponent = std::round(of_means);
  const bool agree = std::fabs(of_means - exponent) <= half_a_decade &&
                     std::fabs(of_deviations - exponent) <= half_a_decade && exponent != 0.0;
  return agree ? fmt::format("a factor of {:g}: ", std::pow(10.0, exponent)) : "";
}

std::string sentence_on(const std::string& name, const Coordinate& one) {
  return fmt::format(
      "{}: the data have mean {:.3g} and deviation {:.2g}, the model at the start {:.3g} and "
      "{:.2g} ({}other units?).",
      name, one.data.mean(), one.data.deviation(), one.model.mean(), one.model.deviation(),
      factor_in_words(one));
}

}  // namespace

std::vector<std::string> far_from_start(const Model& model, const FitData& data,
                                        const Evaluation& start) {
  std::map<std::size_t, Coordinate> coordinates;
  for (const Marginal& marginal : marginals_of(data)) {
    Coordinate& one = coordinates[data.blocks[marginal.block].observed[marginal.column]];
    const auto share = static_cast<double>(marginal.values.size());
    one.rows += marginal.values.size();
    one.data.add(marginal.values, share);
    one.model.add(start.samples[marginal.block][0].column(marginal.column), share);
  }
  const std::vector<Observation> names = measurable(model);
  std::vector<std::string> sentences;
  std::size_t count = 0;
  for (const auto& [place, one] : coordinates) {
    if (!is_far(one) || ++count > most_sentences) continue;
    sentences.push_back(sentence_on(names[place].name, one));
  }
  if (count > most_sentences) {
    sentences.push_back(fmt::format("{} more columns are as far away.", count - most_sentences));
  }
  return sentences;
}

}  // namespace divker::fit
