// divker manual: the manual pages, made of the same options and examples that --help shows.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "command.hpp"
#include "divker/file.hpp"

namespace divker::app {
namespace {

// Text for troff: hyphens that can be copied, backslashes, and no line that looks like a request.
std::string roff(std::string_view text) {
  std::string out;
  bool starts_line = true;
  for (const char c : text) {
    if (starts_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out += c;
    }
    starts_line = c == '\n';
  }
  return out;
}

std::string options_section(const CLI::App& command) {
  std::string section = ".SH OPTIONS\n";
  for (const CLI::Option* option : command.get_options()) {
    const std::string name =
        option->get_positional() ? option->get_type_name() : option->get_name(false, true);
    const std::string value = option->get_positional() || option->get_expected_max() == 0
                                  ? std::string()
                                  : " " + option->get_type_name();
    const std::string standard = option->get_default_str().empty()
                                     ? std::string()
                                     : " Default: " + option->get_default_str();
    section += fmt::format(".TP\n.B {}{}\n{}.{}\n", roff(name), roff(value),
                           roff(option->get_description()), roff(standard));
  }
  return section;
}

std::string examples_section(const CLI::App& command) {
  return command.get_footer().empty()
             ? std::string()
             : fmt::format(".SH EXAMPLES\n.nf\n{}\n.fi\n", roff(command.get_footer()));
}

std::string page(const std::string& name, const std::string& summary, const std::string& body) {
  return fmt::format(".TH {} 1 \"\" \"divker {}\"\n.SH NAME\n{} \\- {}\n{}", roff(name),
                     DIVKER_VERSION, roff(name), roff(summary), body);
}

std::string page_of(const CLI::App& command) {
  const std::string name = "divker-" + command.get_name();
  const std::string synopsis =
      fmt::format(".SH SYNOPSIS\n.B divker {}\n[WORDS] [OPTIONS]\n", roff(command.get_name()));
  return page(name, command.get_description(),
              synopsis + options_section(command) + examples_section(command) +
                  ".SH SEE ALSO\n.BR divker (1)\n");
}

std::string front_page(const CLI::App& app) {
  std::string body = ".SH SYNOPSIS\n.B divker\nSUBCOMMAND [MODEL] [OPTIONS]\n.SH SUBCOMMANDS\n";
  for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
    body += fmt::format(".TP\n.BR divker\\-{} (1)\n{}.\n", roff(subcommand->get_name()),
                        roff(subcommand->get_description()));
  }
  body += fmt::format(".SH EXIT STATUS\n{}\n", roff(app.get_footer()));
  return page("divker", "sensitivities of densities of stochastic differential equations", body);
}

}  // namespace

void add_manual(CLI::App& app, int& code) {
  auto folder = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("manual", "Write the manual pages, one for a subcommand");
  command->add_option("folder", *folder, "Folder for divker.1, divker-fit.1 and the others")
      ->type_name("FOLDER")
      ->check(CLI::ExistingDirectory)
      ->required();
  command->callback([folder, &app, &code] {
    const std::filesystem::path place(*folder);
    write_whole_file(place / "divker.1", front_page(app));
    for (const CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; })) {
      write_whole_file(place / fmt::format("divker-{}.1", subcommand->get_name()),
                       page_of(*subcommand));
    }
    code = exit_done;
  });
}

}  // namespace divker::app
