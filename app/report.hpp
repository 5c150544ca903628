// What the command says of an answer.
#pragma once

#include <string>

#include "command.hpp"
#include "present/reply.hpp"

namespace divker::app {

// What a report depends on beside the answer.
struct Telling {
  std::string checkpoint;     // where an interrupted run goes on
  bool tells_effort = false;  // paths and steps of the method: it was asked for by name
};

// Prints the table or the JSON object, writes --out. Returns the exit code.
int report(const CommonOptions& options, const present::Reply& reply, const Telling& telling = {});

}  // namespace divker::app
