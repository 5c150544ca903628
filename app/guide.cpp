#include "guide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "model/names.hpp"

namespace divker::app {
namespace {

struct Guide {
  std::string_view subcommand;
  std::string_view examples;
  std::string_view page;
  std::string_view next;
};

constexpr Guide guides[] = {
    {"models", "  divker models\n", "docs/models.md", "divker show ou"},
    {"new", "  divker new mine            # writes mine.sde, a commented model to start from\n",
     "docs/language.md", "divker show mine.sde"},
    {"show", "  divker show ou\n  divker show mine.sde --set a=2 dt=0.001\n", "docs/language.md",
     "divker simulate ou"},
    {"simulate",
     "  divker simulate lorenz63 --times 0.5,1\n"
     "  divker simulate ou --paths 1e4 --out states.csv\n"
     "  divker simulate fitted.sde --with-fit-errors --data all.csv --time t --picture bands.png\n",
     "docs/command.md", "divker response ou --observable 'x^2'"},
    {"sample", "  divker sample lotka_volterra -n 1000 --out samples.csv\n", "docs/command.md",
     "divker fit lotka_volterra --data samples.csv"},
    {"density",
     "  divker density ou\n"
     "  divker density lorenz96 --marginal x[0],x[1] --grid 10\n"
     "  divker density ou --quantile 0.05 --wrt a,s     # value at risk, and what moves it\n",
     "docs/density.md", "divker score ou"},
    {"score", "  divker score ou\n  divker score langevin --at points.csv --json\n",
     "docs/answer.md", "divker response ou"},
    {"response",
     "  divker response ou                              # of the density, at nine points\n"
     "  divker response lorenz63 --observable 'z^2' --time 1\n"
     "  divker response double_well --stationary --wrt s\n",
     "docs/answer.md", "divker diagnose ou"},
    {"fit",
     "  divker fit ou --data cells.csv                  # rows measured at the end of the grid\n"
     "  divker fit ou --data early.csv@0.5 --data late.csv@2\n"
     "  divker fit ou --data all.csv --time t --out fitted.sde\n",
     "docs/fit.md", "divker simulate ou --set a=1.2"},
    {"likelihood", "  divker likelihood fitted.sde --data all.csv --time t\n", "docs/prediction.md",
     "divker compare one.sde other.sde --data all.csv --time t"},
    {"compare",
     "  divker compare one.sde other.sde --data all.csv --time t\n"
     "  divker compare small.sde large.sde --data all.csv --time t --nested\n",
     "docs/prediction.md", "divker simulate one.sde --data all.csv --time t --picture bands.png"},
    {"diagnose", "  divker diagnose heston\n", "docs/diagnose.md", "divker show heston"},
    {"residuals", "  divker residuals fitted.sde --data series.csv --time t\n", "docs/forecast.md",
     "divker forecast fitted.sde --data series.csv --time t --ahead 1"},
    {"forecast",
     "  divker forecast fitted.sde --data series.csv --time t --ahead 1,2,5\n"
     "  divker forecast fitted.sde --data series.csv --time t --ahead 1 --held-out 0.3\n",
     "docs/forecast.md", "divker residuals fitted.sde --data series.csv --time t"},
    {"bench", "  divker bench --only normals\n", "docs/command.md", "divker models"},
    {"reproduce", "  divker reproduce                # lists the experiments\n",
     "docs/experiments.md", "divker reproduce lorenz96"},
    {"completion",
     "  source <(divker completion bash)\n"
     "  divker completion zsh > ~/.zfunc/_divker\n",
     "docs/command.md", "divker help"},
    {"manual", "  divker manual ~/.local/share/man/man1\n", "docs/command.md", "divker help"},
};

bool is_setting(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 && word.front() != '-' &&
         word.substr(0, equals).find('/') == std::string_view::npos;
}

}  // namespace

std::vector<std::string> spelled_out(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    // A word that is no subcommand is left alone, so that it is complained of.
    const std::vector<std::string> known = subcommand_names(app);
    const bool is_known =
        words.empty() || std::find(known.begin(), known.end(), words.front()) != known.end();
    if (is_known) words.emplace_back("--help");
  }
  if (!words.empty() && words.front() == "-V") words.front() = "--version";
  std::vector<std::string> spelled;
  std::string repeated;  // the option that the next name=value belongs to
  for (std::size_t w = 0; w < words.size(); ++w) {
    const bool is_value = w > 0 && (words[w - 1] == "--set" || words[w - 1] == "--to");
    if (is_value) repeated = words[w - 1];
    if (!is_value && is_setting(words[w]) && !repeated.empty()) spelled.push_back(repeated);
    if (!is_value && !is_setting(words[w])) repeated.clear();
    spelled.push_back(words[w]);
  }
  return spelled;
}

void add_examples(CLI::App& app) {
  for (CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
    const auto* const guide =
        std::find_if(std::begin(guides), std::end(guides),
                     [&](const Guide& g) { return g.subcommand == subcommand->get_name(); });
    if (guide == std::end(guides)) continue;
    subcommand->footer(
        fmt::format("Examples:\n{}More: {}. Next: {}", guide->examples, guide->page, guide->next));
  }
}

std::string welcome() {
  return "divker: how the density of a stochastic differential equation changes with its "
         "parameters\n\n"
         "  divker models                      the models that come with it\n"
         "  divker show ou                     the equations of one\n"
         "  divker response ou                 how its density changes with each parameter\n"
         "  divker fit ou --data cells.csv     the parameters that data ask for\n"
         "  divker new mine                    a model of your own to start from\n\n"
         "'divker help' lists all subcommands, 'divker help fit' the options of one, with "
         "examples.\n";
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(subcommand->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string slip_of_the_pen(const CLI::App& app, const std::vector<std::string>& words) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (chosen.empty()) {
    return words.empty() ? std::string() : did_you_mean(words.front(), subcommand_names(app));
  }
  const std::vector<std::string> known = option_names(*chosen.front());
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || std::find(known.begin(), known.end(), name) != known.end()) {
      continue;
    }
    const std::string meant = did_you_mean(name, known);
    return meant.empty() ? meant : "." + meant;
  }
  return {};
}

}  // namespace divker::app
