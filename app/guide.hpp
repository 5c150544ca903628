// What the command says of itself: the welcome, an example for each subcommand, and slips of the
// pen; and the short forms that people type.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace divker::app {

// The words of a command line as the parser knows them: "help fit" is "fit --help", "-V" is
// "--version", and "--set a=2 b=3" is "--set a=2 --set b=3".
[[nodiscard]] std::vector<std::string> spelled_out(const CLI::App& app, int argc,
                                                   const char* const* argv);

// Under --help of each subcommand: examples, the page, and what to try next.
void add_examples(CLI::App& app);

// What `divker` alone prints: what it is for, and the first commands to try.
[[nodiscard]] std::string welcome();

// " Did you mean 'fit'?" for a subcommand, or an option of the chosen one, that does not exist;
// else nothing.
[[nodiscard]] std::string slip_of_the_pen(const CLI::App& app,
                                          const std::vector<std::string>& words);

[[nodiscard]] std::vector<std::string> subcommand_names(const CLI::App& app);
// The names of all options of a command, such as "--paths".
[[nodiscard]] std::vector<std::string> option_names(const CLI::App& command);

}  // namespace divker::app
