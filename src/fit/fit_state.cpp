// The state of a fit as text: one `name values...` a line, numbers in the shortest form that reads
// back to the same double.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "divker/error.hpp"
#include "divker/fit.hpp"

namespace divker {
namespace {

constexpr std::string_view first_line = "divker fit 4";

template <class Values>
std::string line(std::string_view name, const Values& values) {
  std::string text(name);
  for (const auto& value : values) text += fmt::format(" {}", value);
  return text + "\n";
}

// Reads the lines in the order in which they were written.
class Reader {
 public:
  Reader(const std::string& text, const std::string& source) : stream_(text), source_(source) {
    if (next() != first_line) fail("it does not begin with '" + std::string(first_line) + "'");
  }

  // Is this the name of the next line?
  bool has(std::string_view name) { return stream_.peek() == name.front(); }

  // What follows the name.
  std::string rest(std::string_view name) {
    std::string found = next();
    if (name.empty()) return found;
    if (!found.starts_with(name)) {
      fail(fmt::format("line {} should hold '{}'", number_, name));
    }
    return found.size() > name.size() ? found.substr(name.size() + 1) : "";
  }

  template <class T>
  std::vector<T> numbers(std::string_view name) {
    return parse<T>(rest(name));
  }

  template <class T>
  T number(std::string_view name) {
    const std::vector<T> values = numbers<T>(name);
    if (values.size() != 1) fail(fmt::format("line {} should hold one number", number_));
    return values.front();
  }

  [[nodiscard]] std::size_t whole(double value) const {
    constexpr double most = 9007199254740992.0;  // 2^53: doubles beyond it skip whole numbers
    if (!(value >= 0.0 && value <= most && value == std::floor(value))) {
      fail(fmt::format("line {} holds {} where a whole number was expected", number_, value));
    }
    return static_cast<std::size_t>(value);
  }

  std::vector<std::string> words(std::string_view name) {
    std::istringstream stream(rest(name));
    std::vector<std::string> result;
    for (std::string word; stream >> word;) result.push_back(word);
    return result;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::model, fmt::format("{} is no saved fit: {}.", source_, what));
  }

 private:
  std::string next() {
    std::string text;
    if (!std::getline(stream_, text)) fail("it ends too early");
    ++number_;
    return text;
  }

  template <class T>
  std::vector<T> parse(const std::string& text) {
    std::vector<T> result;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) {
      T value{};
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc() || end != word.data() + word.size()) {
        fail(fmt::format("line {} holds '{}' where a number was expected", number_, word));
      }
      result.push_back(value);
    }
    return result;
  }

  std::istringstream stream_;
  std::string source_;
  std::size_t number_ = 0;
};

// A fit that goes on from the state takes these for granted.
void check_shapes(const FitState& state, const Reader& in) {
  const std::size_t parameters = state.parameters.size();
  const bool known = std::all_of(state.active.begin(), state.active.end(),
                                 [&](std::size_t index) { return index < parameters; });
  if (!known) in.fail(fmt::format("an active parameter is not one of its {}", parameters));
  if (state.damping_parameters.size() != parameters) {
    in.fail(fmt::format("it has {} parameters and {} damping_parameters", parameters,
                        state.damping_parameters.size()));
  }
  if (state.paths == 0) in.fail("it has no paths");
}

}  // namespace

std::string to_text(const FitState& state) {
  std::string text = std::string(first_line) + "\n";
  text += "fingerprint " + state.fingerprint + "\n";
  text += line("parameters", state.parameters);
  text += line("active", state.active);
  text += line("inactive", state.inactive);
  text += fmt::format("paths {}\nfine {}\n", state.paths, state.fine ? 1 : 0);
  text += line("damping_parameters", state.damping_parameters);
  text += line("memory", state.memory);
  text += fmt::format("done {}\nconverged {}\nreason {}\n", state.done ? 1 : 0,
                      state.converged ? 1 : 0, state.reason);
  text += fmt::format("far {}\n", state.far.size());
  for (const std::string& sentence : state.far) text += sentence + "\n";
  text += fmt::format("history {}\n", state.history.size());
  for (const FitIteration& one : state.history) {
    text += fmt::format("{} {} {}", one.paths, one.halvings, one.gain);
    text +=
        fmt::format(" {} {} {}\n", one.psi_over_noise, one.step, fmt::join(one.parameters, " "));
  }
  if (state.pace != 1.0) text += fmt::format("pace {}\n", state.pace);
  if (state.history.empty() || !state.history.front().divergence) return text;
  text += "divergence";
  for (const FitIteration& one : state.history) {
    const Estimate divergence = one.divergence.value_or(Estimate());
    text += fmt::format(" {} {}", divergence.value, divergence.standard_error);
  }
  return text + "\n";
}

FitState parse_fit_state(const std::string& text, const std::string& source) {
  Reader in(text, source);
  FitState state;
  state.fingerprint = in.rest("fingerprint");
  state.parameters = in.numbers<double>("parameters");
  state.active = in.numbers<std::size_t>("active");
  state.inactive = in.words("inactive");
  state.paths = in.number<std::size_t>("paths");
  state.fine = in.number<int>("fine") != 0;
  state.damping_parameters = in.numbers<double>("damping_parameters");
  state.memory = in.numbers<double>("memory");
  check_shapes(state, in);
  state.done = in.number<int>("done") != 0;
  state.converged = in.number<int>("converged") != 0;
  state.reason = in.rest("reason");
  for (auto left = in.number<std::size_t>("far"); left > 0; --left) {
    state.far.push_back(in.rest(""));
  }
  const auto count = in.number<std::size_t>("history");
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<double> values = in.numbers<double>("");
    constexpr std::size_t before_parameters = 5;
    if (values.size() != before_parameters + state.parameters.size()) {
      in.fail(fmt::format("iteration {} of its history has {} numbers", i, values.size()));
    }
    FitIteration one;
    one.iteration = i;
    one.paths = in.whole(values[0]);
    one.halvings = in.whole(values[1]);
    one.gain = values[2];
    one.psi_over_noise = values[3];
    one.step = values[4];
    one.parameters.assign(values.begin() + before_parameters, values.end());
    state.history.push_back(std::move(one));
  }
  if (in.has("pace")) state.pace = in.number<double>("pace");
  if (!in.has("divergence")) return state;
  const auto divergences = in.numbers<double>("divergence");
  if (divergences.size() != 2 * state.history.size()) {
    in.fail(fmt::format("it has {} iterations and {} numbers of divergences", state.history.size(),
                        divergences.size()));
  }
  for (std::size_t i = 0; i < state.history.size(); ++i) {
    state.history[i].divergence = {divergences[2 * i], divergences[2 * i + 1]};
  }
  return state;
}

}  // namespace divker
