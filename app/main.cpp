// The command `divker`: scores, responses and samples of stochastic differential equations.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "command.hpp"
#include "divker/error.hpp"

namespace {

constexpr int exit_usage = static_cast<int>(divker::ErrorKind::usage);

int report_usage(const CLI::App& app, const CLI::ParseError& error, const std::string& first) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (!chosen.empty()) {
    fmt::print(stderr, "divker {0}: {1}\nRun 'divker {0} --help' to see what is expected.\n",
               chosen.front()->get_name(), error.what());
    return exit_usage;
  }
  std::vector<std::string> names;
  for (const CLI::App* subcommand : app.get_subcommands({})) {
    names.push_back(subcommand->get_name());
  }
  const bool is_word = !first.empty() && !first.starts_with('-');
  fmt::print(stderr,
             "divker: {}; the subcommands are: {}.\nRun 'divker --help' to see what they do.\n",
             is_word ? fmt::format("There is no subcommand '{}'", first)
                     : std::string("A subcommand is expected"),
             fmt::join(names, ", "));
  return exit_usage;
}

int report_full_output() {
  fmt::print(stderr, "divker: Standard output could not be written.\n");
  return exit_usage;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace divker::app;
  CLI::App app{
      "divker: how the density of a stochastic differential equation changes with its parameters",
      "divker"};
  app.set_version_flag("--version", DIVKER_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 usage, 3 model or data at fault, 4 numerical failure, 130 "
      "interrupted.");
  int code = exit_done;
  for (const auto add : {add_models, add_show, add_simulate, add_sample, add_score, add_response,
                         add_fit, add_diagnose, add_bench, add_reproduce}) {
    add(app, code);
  }
  install_signal_handlers();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app.exit(request);  // --help, --version
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error, argc > 1 ? argv[1] : "");
  } catch (const divker::Error& error) {
    fmt::print(stderr, "divker: {}\n", error.what());
    // Too few paths were finished before Ctrl-C: it was asked for.
    return stop_requested() ? exit_interrupted : static_cast<int>(error.kind());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "divker: out of memory; fewer --paths or snapshots need less.\n");
    return static_cast<int>(divker::ErrorKind::numerical);
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) return report_full_output();
    fmt::print(stderr, "divker: {}\n", error.what());
    return static_cast<int>(divker::ErrorKind::numerical);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return report_full_output();
  return code;
}
