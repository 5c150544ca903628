// An answer as one page of HTML that needs nothing else: no network, no other file. It reads well
// without scripts; with them its curves answer to the pointer and its tables sort.
#pragma once

#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "present/reply.hpp"

namespace divker::present {

// A table of the page. What has a standard error is drawn: a column whose next one is "stderr",
// "stderr.NAME" or "..._stderr".
struct PageTable {
  std::string title;
  std::vector<std::string> names;  // of the rows; empty: none
  Table table;
};

struct Page {
  std::string title;                  // "response of ou"
  std::string command;                // that gives the same answer; empty: none
  std::vector<std::string> warnings;  // sentences
  Model model;
  std::vector<PageTable> tables;
  std::string text;  // what the command prints
  Fields how_made;
};

[[nodiscard]] Page page_of(const Reply& reply, std::string title, std::string command);
[[nodiscard]] Page page_of(const FitResult& result, std::string command);

// Tables of more rows than most_rows_shown are cut there, which the page says; curves are drawn
// from all of them. Cost: linear in the size of the tables; some 100 bytes a number.
inline constexpr std::size_t most_rows_shown = 400;
[[nodiscard]] std::string html(const Page& page);

// Text with the characters escaped that mean something in HTML.
[[nodiscard]] std::string in_html(std::string_view text);

}  // namespace divker::present
