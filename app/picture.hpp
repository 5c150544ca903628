// Pictures of results, drawn by the Python package's script.
#pragma once

#include <string>

#include "command.hpp"

namespace divker::app {

// Before a long run: can the file be written, and is there a Python with matplotlib? Error(usage).
// Python is the one that divker was configured with, or $DIVKER_PYTHON. `option`: what asked for
// the picture.
void check_picture(const std::string& option, const std::string& file);

// Draws what `kind` says ("fit", "couplings") of the JSON object into the file. Error(usage) if
// that fails.
void draw_picture(const std::string& kind, const Json& json, const std::string& file);

}  // namespace divker::app
