// What the command says of an answer.
#pragma once

#include <string>

#include "command.hpp"
#include "present/reply.hpp"

namespace divker::app {

// Prints the text or the JSON object of the question of that name, writes --out and --report. An
// interrupted run goes on from the checkpoint. Returns the exit code.
int report(const CommonOptions& options, const std::string& name, const present::Reply& reply,
           const std::string& checkpoint = {});

}  // namespace divker::app
