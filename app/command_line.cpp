#include "command_line.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "command.hpp"
#include "divker/error.hpp"
#include "guide.hpp"
#include "page.hpp"

namespace divker::app {
namespace {

constexpr int exit_usage = static_cast<int>(ErrorKind::usage);

Ending usage_error(const CLI::App& app, const CLI::ParseError& error,
                   const std::vector<std::string>& words) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const std::string meant = slip_of_the_pen(app, words);
  if (!chosen.empty()) {
    return {exit_usage,
            fmt::format("divker {0}: {1}{2}\nRun 'divker {0} --help' to see what is expected.\n",
                        chosen.front()->get_name(), error.what(), meant)};
  }
  const bool is_word = !words.empty() && !words.front().starts_with('-');
  return {exit_usage,
          fmt::format("divker: {}; the subcommands are: {}.{}\n{}",
                      is_word ? fmt::format("There is no subcommand '{}'", words.front())
                              : std::string("A subcommand is expected"),
                      fmt::join(subcommand_names(app), ", "), meant,
                      words.empty() ? "\n" + welcome()
                                    : std::string("Run 'divker --help' to see what they do.\n"))};
}

Ending error_ending(int code, const std::string& sentence) {
  return {code, fmt::format("divker: {}\n", sentence)};
}

Ending full_output() { return error_ending(exit_usage, "Standard output could not be written."); }

}  // namespace

Ending run(int argc, const char* const* argv) {
  CLI::App app{
      "divker: how the density of a stochastic differential equation changes with its parameters",
      "divker"};
  app.set_version_flag("--version", DIVKER_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 usage, 3 model or data at fault, 4 numerical failure, 130 "
      "interrupted.");
  int code = exit_done;
  for (const auto add :
       {add_models, add_show, add_simulate, add_sample, add_answers, add_fit, add_compare,
        add_checks, add_bench, add_reproduce, add_new, add_completion, add_manual}) {
    add(app, code);
  }
  add_examples(app);
  const std::vector<std::string> words = spelled_out(app, argc, argv);
  remember_command(words);
  try {
    join_ranks();
    install_signal_handlers();
    // CLI11 takes the words from the back.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Success& request) {
    return {app.exit(request), ""};  // --help, --version
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, words);
  } catch (const Error& error) {
    // Too few paths were finished before Ctrl-C: it was asked for.
    return error_ending(stop_requested() ? exit_interrupted : static_cast<int>(error.kind()),
                        error.what());
  } catch (const std::bad_alloc&) {
    return error_ending(static_cast<int>(ErrorKind::numerical),
                        "out of memory; fewer --paths or snapshots need less.");
  } catch (const std::exception& error) {
    if (std::ferror(stdout) != 0) return full_output();
    return error_ending(static_cast<int>(ErrorKind::numerical), error.what());
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return full_output();
  return {code, ""};
}

}  // namespace divker::app
