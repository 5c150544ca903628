#include "model/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "model/functions.hpp"

namespace divker {
namespace {

constexpr std::array<std::string_view, 27> words{
    "observe",   "periodic", "positive", "tamed", "t",   "dt",  "T",     "pi",    "inf",
    "sum",       "model",    "param",    "const", "in",  "let", "fixed", "state", "normal",
    "lognormal", "init",     "samples",  "time",  "and", "or",  "not",   "input", "path"};

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Edit distance where exchanging two neighbours counts as one slip.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({replaced, last[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return result;
}

}  // namespace

bool is_identifier(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

bool is_name_of_weights(std::string_view text) {
  const std::size_t dot = text.find('.');
  return dot != std::string_view::npos && is_identifier(text.substr(0, dot)) &&
         is_identifier(text.substr(dot + 1));
}

bool is_component_name(std::string_view text) {
  const std::size_t open = text.find('[');
  if (open == std::string_view::npos) return is_identifier(text);
  const std::string_view digits = text.substr(open + 1);
  return is_identifier(text.substr(0, open)) && digits.size() >= 2 && digits.size() <= 10 &&
         digits.back() == ']' && std::all_of(digits.begin(), digits.end() - 1, is_digit) &&
         (digits.size() == 2 || digits.front() != '0');
}

bool is_reserved(std::string_view name) {
  return std::find(words.begin(), words.end(), name) != words.end() ||
         find_function(name) != nullptr;
}

std::string list_of(std::span<const std::string> names) {
  constexpr std::size_t longest = 8;
  if (names.empty()) return "none";
  if (names.size() == 1) return names.front();
  const bool cut = names.size() > longest;
  const std::size_t shown = cut ? 3 : names.size() - 1;
  std::string text = names.front();
  for (std::size_t i = 1; i < shown; ++i) text += ", " + names[i];
  if (cut) return fmt::format("{}, ... and {} ({} in all)", text, names.back(), names.size());
  return text + " and " + names.back();
}

std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> candidates) {
  constexpr std::size_t longest = 64;
  if (name.size() > longest) return std::nullopt;
  const std::size_t near = name.size() <= 2 ? 1 : (name.size() + 2) / 3;
  std::optional<std::string> best;
  std::size_t best_distance = near + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest || candidate == name) continue;
    const bool same_letters = lower_case(candidate) == lower_case(name);
    const std::size_t d = same_letters ? 0 : distance(name, candidate);
    // A one-letter name replaced by another is no slip but another name.
    if (d >= std::max(name.size(), candidate.size())) continue;
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> candidates) {
  const std::optional<std::string> near = nearest_name(name, candidates);
  return near ? fmt::format(" Did you mean '{}'?", *near) : "";
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t longest = 60;
  std::string text;
  for (const char c : name.substr(0, longest)) {
    text += std::iscntrl(static_cast<unsigned char>(c)) != 0 ? '?' : c;
  }
  return "'" + text + (name.size() > longest ? "..." : "") + "'";
}

void refuse(const std::string& sentence) { throw Error(ErrorKind::model, sentence); }

}  // namespace divker
