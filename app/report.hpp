// What the command says of an answer.
#pragma once

#include <string>

#include "command.hpp"
#include "present/reply.hpp"

namespace divker::app {

// Prints the text or the JSON object, writes --out, then draws the picture. An interrupted run goes
// on from the checkpoint. Returns the exit code.
int report(const CommonOptions& options, const present::Reply& reply,
           const std::string& checkpoint = {}, const std::string& picture = {});

// --picture FILE of an answer.
void declare_picture(CLI::App& command, std::string& file);

}  // namespace divker::app
