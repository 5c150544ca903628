// A subcommand for each question of the library.
#include "present/question.hpp"

#include "page.hpp"
#include "report.hpp"

namespace divker::app {
namespace {

struct QuestionOptions : CommonOptions {
  std::unique_ptr<present::Request> request;
};

void add(CLI::App& app, const present::Question& question, int& code) {
  auto options = std::make_shared<QuestionOptions>();
  options->request = question.ask();
  CLI::App* command = app.add_subcommand(question.name, question.summary);
  if (question.has_file) {
    options->declare_all(*command);
  } else {
    options->declare_all_but_out(*command);
  }
  options->declare_report(*command);
  Declare visitor(*command);
  options->request->describe_to(visitor);
  visitor.relate();
  command->callback([options, name = question.name, &code] {
    const Model model = load(*options);
    const std::string checkpoint = options->request->checkpoint();
    check_out(*options, checkpoint);
    check_shown(*options);
    const present::Reply reply = options->request->reply(model, circumstances(*options));
    code = report(*options, name, reply, checkpoint);
  });
}

void add_those(CLI::App& app, bool with_file, int& code) {
  for (const present::Question& question : present::questions()) {
    if (question.has_file == with_file) add(app, question, code);
  }
}

}  // namespace

void add_answers(CLI::App& app, int& code) { add_those(app, true, code); }
void add_checks(CLI::App& app, int& code) { add_those(app, false, code); }

}  // namespace divker::app
