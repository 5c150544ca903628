// divker completion: what a shell asks when a user presses the tabulator.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "guide.hpp"

namespace divker::app {
namespace {

// Both scripts ask `divker completion words ...`, so that one place knows all names. Where it knows
// none, files are offered.
constexpr std::string_view bash = R"script(_divker() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -o nosort -F _divker divker
)script";
constexpr std::string_view zsh = R"script(#compdef divker
_divker() {
  local -a candidates
  candidates=("${(@f)$("${words[1]}" completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=(${candidates:#})
  if (( ${#candidates} )); then compadd -a candidates; else _files; fi
}
if [ "$funcstack[1]" = "_divker" ]; then _divker "$@"; else compdef _divker divker; fi
)script";

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const ShippedModel& model : shipped_models()) names.push_back(model.name);
  return names;
}

// The free and fixed parameters of the first word that is a model.
std::vector<std::string> parameter_names(const std::vector<std::string>& words) {
  for (std::size_t w = 1; w + 1 < words.size(); ++w) {
    if (words[w].starts_with('-')) continue;
    try {
      const Model model = load_model(words[w]);
      std::vector<std::string> names;
      for (const Parameter& parameter : model.parameters()) names.push_back(parameter.name);
      return names;
    } catch (const Error&) {
      continue;  // the word is the value of an option
    }
  }
  return {};
}

// What the last word may become.
std::vector<std::string> candidates(const CLI::App& app, const std::vector<std::string>& words) {
  const auto all = [](const CLI::App*) { return true; };
  if (words.size() <= 1) return subcommand_names(app);
  const std::vector<const CLI::App*> subcommands = app.get_subcommands(all);
  const auto chosen = std::find_if(subcommands.begin(), subcommands.end(),
                                   [&](const CLI::App* s) { return s->get_name() == words[0]; });
  if (chosen == subcommands.end()) return {};
  if (words.back().starts_with('-')) return option_names(**chosen);
  const std::string& before = words[words.size() - 2];
  if (before == "--set" || before == "--to") {
    std::vector<std::string> settings = parameter_names(words);
    for (std::string& setting : settings) setting += '=';
    return settings;
  }
  if (before == "--wrt") return parameter_names(words);
  if (words.size() == 2 && (*chosen)->get_option_no_throw("model") != nullptr) {
    return model_names();
  }
  return {};
}

}  // namespace

void add_completion(CLI::App& app, int& code) {
  struct Options {
    std::string shell;
    std::vector<std::string> words;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("completion", "Print the script that completes words in a shell");
  command->add_option("shell", options->shell, "bash or zsh; words: what the last word may become")
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "words"}))
      ->required();
  command->add_option("words", options->words, "Words of a command line, after --");
  command->callback([options, &app, &code] {
    if (options->shell == "words") {
      for (const std::string& word : candidates(app, options->words)) fmt::print("{}\n", word);
    } else {
      fmt::print("{}", options->shell == "bash" ? bash : zsh);
    }
    code = exit_done;
  });
}

}  // namespace divker::app
