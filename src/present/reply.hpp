// One answer with all that is said about it.
#pragma once

#include <string>

#include "divker/model.hpp"
#include "divker/record.hpp"
#include "divker/table.hpp"
#include "present/fields.hpp"

namespace divker::present {

struct Reply {
  Model model;  // as it ran: stationary answers have a time grid of their own
  RunRecord record;
  Fields answer;        // its numbers
  Fields how_made;      // beyond what every run says: files keep it as attributes too
  Table table;          // for files
  std::string text;     // for people
  Fields picture = {};  // what a picture shows beside the answer
};

// All fields of a reply: the answer, how it was made, and the run.
[[nodiscard]] Fields fields_of(const Reply& reply);

}  // namespace divker::present
