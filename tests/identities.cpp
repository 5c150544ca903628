// The table of docs/calibration.md on the identities of every shipped model.
// Usage: identities [PATHS [MODEL [first|second|exact]]]; prints the rows in Markdown.
#include "support/identities.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "divker/language.hpp"

namespace {

void print_row(const std::string& name, const std::string& step,
               const divker::test::IdentityOptions& options) {
  const auto report = divker::test::check_identities(divker::load_model(name), options);
  const auto& worst = report.worst();
  fmt::print("| {} | {} | {} | {} | {:.2f} | {}: {:.3g} +- {:.2g} |\n", name, step, report.damping,
             report.checks.size(), worst.z(), worst.what, worst.difference.value,
             worst.difference.standard_error);
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  divker::test::IdentityOptions options;
  if (count > 1) options.paths = std::strtoull(arguments[1], nullptr, 10);
  if (options.paths < 2) {
    fmt::print(stderr, "identities: the number of paths must be at least 2\n");
    return 2;
  }
  const std::string step = count > 3 ? arguments[3] : "second";
  if (step != "first" && step != "second" && step != "exact") {
    fmt::print(stderr, "identities: the step '{}' is none of first, second, exact\n", step);
    return 2;
  }
  options.order = step == "first" ? divker::InverseOrder::first : divker::InverseOrder::second;
  if (step == "exact") options.scheme = divker::Scheme::exact;
  fmt::print("| model | step | damping | comparisons | largest z | where |\n");
  fmt::print("| --- | --- | --- | --- | --- | --- |\n");
  const std::string wanted = count > 2 ? arguments[2] : "all";
  bool found = false;
  for (const auto& model : divker::shipped_models()) {
    if (wanted != "all" && wanted != model.name) continue;
    found = true;
    print_row(model.name, step, options);
  }
  if (!found) {
    fmt::print(stderr, "identities: there is no shipped model '{}'\n", wanted);
    return 2;
  }
  return 0;
}
