// What the command says of an answer.
#pragma once

#include <string>

#include "command.hpp"
#include "present/reply.hpp"

namespace divker::app {

// Prints the text or the JSON object, writes --out. An interrupted run goes on from the checkpoint.
// Returns the exit code.
int report(const CommonOptions& options, const present::Reply& reply,
           const std::string& checkpoint = {});

}  // namespace divker::app
