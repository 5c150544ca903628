// A column of a table that holds more than numbers.
#pragma once

#include <string>
#include <vector>

namespace divker {

struct TextColumn {
  // What each row holds; empty where that is a number, or nothing.
  std::vector<std::string> cells;
  // The sentence for whoever needs numbers: file, line, column and text of the first of them.
  std::string fault;
};

}  // namespace divker
