// Pictures of results, drawn by the Python package's script.
#pragma once

#include <string>

#include "command.hpp"

namespace divker::app {

// Before a long run: can the file be written, and is there a Python with matplotlib? Error(usage).
// Python is the one that divker was configured with, or $DIVKER_PYTHON. `option`: what asked for
// the picture.
void check_picture(const std::string& option, const std::string& file);

// Labels with units of states, parameters and observations that have one.
[[nodiscard]] Json titles_of(const Model& model);

// Draws the answer, an object as --json prints it and what pictures show beside it, into the file:
// all of it, or the part that is named ("couplings"). Error(usage) if that fails.
void draw_picture(const Json& json, const std::string& file, const std::string& part = "answer");

}  // namespace divker::app
