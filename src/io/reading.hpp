// Opening files to be read, and refusing them in one form of words.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace divker {

// Throws Error(model, "cannot read 'path': why").
[[noreturn]] void fail_reading(const std::filesystem::path& path, const std::string& why);
// Fails for what is empty, or binary: holds a NUL byte.
void check_text(std::string_view text, const std::filesystem::path& path);
// The file, binary; fails where there is none, it is no regular file or may not be read. (Opening
// a pipe waits for a writer, and a device may never end.)
[[nodiscard]] std::ifstream open_to_read(const std::filesystem::path& path);

}  // namespace divker
