// The same question put to every method, and the pairs of answers that contradict each other
// without a word of warning.
//
// Each method has random numbers of its own, so that the errors of a pair are independent. Two
// comparisons are made of the same runs:
//   * of responses as they are printed, with bars that contain the bias of the time step: all
//     methods, for all of them then speak of the SDE;
//   * of responses without what dt adds to the bars, which are then those of the Euler chain: only
//     methods that are exact for the chain, which the divergence kernel with Euler steps is not.
// E[Phi] itself is a mean over the chain by every method, and is compared without dt.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "divker/answer.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "support/random_models.hpp"

namespace divker::test {

// A method by its name, or why it refused.
struct Opinion {
  std::string method;
  std::optional<ObservableAnswer> answer;
  std::string refusal;
};

struct Disagreement {
  std::string quantity;
  std::string first, second;
  Estimate a, b;
  double bars = 0.0;      // between them; infinite where one is no number
  std::string excuse;     // the warning that explains it; empty: none does
  std::size_t again = 0;  // times that it was found with other random numbers

  [[nodiscard]] bool is_sure() const { return excuse.empty() && again >= 2; }
  [[nodiscard]] std::string text() const {
    return fmt::format("{}: {} {:.6g} +- {:.2g}, {} {:.6g} +- {:.2g}: {:.1f} bars, {}", quantity,
                       first, a.value, a.standard_error, second, b.value, b.standard_error, bars,
                       excuse.empty() ? fmt::format("{} times again", again)
                                      : fmt::format("explained by the warning {}", excuse));
  }
};

struct CrossCheck {
  RandomModel model;
  std::vector<Opinion> opinions;
  std::vector<Disagreement> disagreements;
  std::size_t pairs = 0;

  [[nodiscard]] bool is_suspicious() const {
    return std::ranges::any_of(disagreements,
                               [](const Disagreement& d) { return d.excuse.empty(); });
  }
  [[nodiscard]] bool has_failed() const {
    return std::ranges::any_of(disagreements, &Disagreement::is_sure);
  }
  [[nodiscard]] std::string text() const {
    std::string result = fmt::format("{}# observable {}\n", model.text, model.observable);
    for (const Opinion& o : opinions) {
      result += fmt::format("# {}: {}\n", o.method, o.answer ? o.answer->record.steps : o.refusal);
      if (!o.answer) continue;
      for (const Warning& w : o.answer->record.warnings) {
        result += fmt::format("#   {}: {}\n", w.what, w.sentence);
      }
    }
    for (const Disagreement& d : disagreements) result += fmt::format("# {}\n", d.text());
    return result;
  }
};

[[nodiscard]] inline Opinion opinion(const Model& model, const RandomModel& source,
                                     const std::string& method, std::size_t paths,
                                     std::uint64_t seed) {
  AnswerOptions options;
  options.sampling.paths = paths;
  options.sampling.seed = seed;
  if (method != "auto") options.method.estimator = method;
  try {
    return {method, observable_response(model, model.free_parameters(), source.observable, options),
            ""};
  } catch (const Error& error) {
    return {method, std::nullopt, error.what()};
  }
}

// The first warning of an answer that tells a reader not to trust the bar of a response. Those of
// tails speak of one response each; that of kinks tells of another step, the bar of which holds.
[[nodiscard]] inline std::string excuse_of(const ObservableAnswer& answer, const std::string& name,
                                           bool of_chain) {
  for (const Warning& w : answer.record.warnings) {
    if (w.what == "boundary") return w.what;
    if (w.what == "time_step" && !of_chain) return w.what;
    if (w.what == "tail" && w.sentence.find("response to " + name + " ") != std::string::npos) {
      return w.what;
    }
  }
  return "";
}

[[nodiscard]] inline bool is_exact_for_chain(const ObservableAnswer& answer) {
  return answer.record.steps.find("euler") == std::string::npos;
}

// Quantity 0 is E[Phi], then the responses.
[[nodiscard]] inline Estimate estimate_of(const ObservableAnswer& answer, std::size_t quantity,
                                          bool of_chain) {
  Estimate result = quantity == 0 ? answer.value : answer.response[quantity - 1];
  if (of_chain && !answer.deviation.empty()) result.standard_error = answer.deviation[quantity];
  return result;
}

// Differences of the size of rounding do not count.
[[nodiscard]] inline double bars_between(const Estimate& a, const Estimate& b) {
  const double rounding = 1e-9 * (std::fabs(a.value) + std::fabs(b.value)) + 1e-12;
  const double bar = std::hypot(a.standard_error, b.standard_error) + rounding;
  const double bars = std::fabs(a.value - b.value) / bar;
  return std::isfinite(bars) ? bars : std::numeric_limits<double>::infinity();
}

inline void compare(const Opinion& first, const Opinion& second, bool of_chain, double limit,
                    CrossCheck& check) {
  const ObservableAnswer &a = *first.answer, &b = *second.answer;
  const std::size_t begin = of_chain ? 0 : 1;
  const bool are_exact = is_exact_for_chain(a) && is_exact_for_chain(b);
  const std::size_t end = of_chain && !are_exact ? 1 : 1 + a.response.size();
  for (std::size_t q = begin; q < end; ++q) {
    const std::string name = q == 0 ? "the mean" : a.names[q - 1];
    const Estimate of_a = estimate_of(a, q, of_chain), of_b = estimate_of(b, q, of_chain);
    const double bars = bars_between(of_a, of_b);
    ++check.pairs;
    if (bars <= limit) continue;
    std::string excuse = excuse_of(a, name, of_chain);
    if (excuse.empty()) excuse = excuse_of(b, name, of_chain);
    check.disagreements.push_back({of_chain ? name + " (chain)" : name, first.method, second.method,
                                   of_a, of_b, bars, std::move(excuse), 0});
  }
}

inline void compare(const Opinion& first, const Opinion& second, double limit, CrossCheck& check) {
  if (!first.answer || !second.answer) return;
  for (const bool of_chain : {false, true}) compare(first, second, of_chain, limit, check);
}

// Asks again, with other random numbers, for what no warning explains: of twelve times chance makes
// two beyond 3.5 bars with a probability of 1e-5, and a bar that is too short in one run of five
// does so with a probability of 0.7.
inline void ask_again(const Model& model, CrossCheck& check, std::size_t paths,
                      std::uint64_t seed) {
  constexpr std::size_t times = 12;
  constexpr double limit = 3.5;
  for (Disagreement& d : check.disagreements) {
    if (!d.excuse.empty()) continue;
    for (std::size_t k = 0; k < times; ++k) {
      CrossCheck other;
      compare(opinion(model, check.model, d.first, paths, seed + 2 * k),
              opinion(model, check.model, d.second, paths, seed + 2 * k + 1), limit, other);
      const bool is_found = std::ranges::any_of(other.disagreements, [&](const Disagreement& o) {
        return o.quantity == d.quantity && o.excuse.empty();
      });
      d.again += is_found ? 1 : 0;
    }
  }
}

// Each method has a seed of its own, beginning with `seed`.
[[nodiscard]] inline CrossCheck cross_check(const RandomModel& source, std::size_t paths,
                                            std::uint64_t seed) {
  constexpr double limit = 4.5;
  const Model model = parse_model(source.text);
  CrossCheck check;
  check.model = source;
  for (const char* method : {"auto", "divergence-kernel", "likelihood-ratio", "finite-difference",
                             "finite-difference"}) {
    check.opinions.push_back(opinion(model, source, method, paths, seed++));
  }
  for (std::size_t i = 0; i < check.opinions.size(); ++i) {
    for (std::size_t j = i + 1; j < check.opinions.size(); ++j) {
      compare(check.opinions[i], check.opinions[j], limit, check);
    }
  }
  ask_again(model, check, paths, seed);
  return check;
}

}  // namespace divker::test
