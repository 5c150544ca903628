// --report: an answer as one page of HTML.
#pragma once

#include <string>
#include <vector>

#include "present/page/page.hpp"

namespace divker::app {

// What the user typed, quoted so that a shell reads the same words again. It is remembered once.
void remember_command(const std::vector<std::string>& words);
[[nodiscard]] const std::string& command_as_typed();

// Error(usage) unless the file ends in .html and can be written.
void check_page(const std::string& file);
// Only the first rank writes.
void write_page(const std::string& file, const present::Page& page);

}  // namespace divker::app
