// The files of this folder that pages carry, as they were when the library was built.
#pragma once

#include <string_view>

namespace divker::present {

[[nodiscard]] std::string_view page_style();   // page.css
[[nodiscard]] std::string_view page_script();  // page.js

}  // namespace divker::present
