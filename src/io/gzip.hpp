// Compressed files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace divker {

// What a gzip file holds, of one member or of several. Throws Error(model) as read_text_file does,
// for contents larger than `limit` bytes, and for data that are damaged or end early.
[[nodiscard]] std::string read_gzip_text_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace divker
