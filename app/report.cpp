#include "report.hpp"

#include <fmt/format.h>

#include "page.hpp"
#include "present/tables.hpp"

namespace divker::app {
namespace {

Attributes attributes(const present::Reply& reply) {
  Attributes about = present::attributes_of(reply.model, reply.record);
  const Json how_made = to_json(reply.how_made);
  for (const auto& [key, value] : how_made.items()) about[key] = value.dump();
  return about;
}

}  // namespace

int report(const CommonOptions& options, const std::string& name, const present::Reply& reply,
           const std::string& checkpoint) {
  tell_warnings(reply.record);
  write_out(options, reply.table, attributes(reply), [&] {
    if (options.json) {
      print_json(to_json(present::fields_of(reply)));
    } else {
      fmt::print("{}", reply.text);
    }
  });
  write_page(options.page,
             present::page_of(reply, fmt::format("{} of {}", name, reply.model.name()),
                              command_as_typed()));
  return finish(options, reply.record, checkpoint);
}

}  // namespace divker::app
