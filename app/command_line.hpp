// A command line, from its words to how it ends.
#pragma once

#include "launch.hpp"

namespace divker::app {

// Joins the ranks, reads the words, and does what they ask for. The first word is the program's.
[[nodiscard]] Ending run(int argc, const char* const* argv);

}  // namespace divker::app
