// Models by the name of a file or of a shipped model.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "divker/language.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    refuse(fmt::format("The model file {} is a directory.", path.string()));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    refuse(
        fmt::format("The model file {} cannot be read: {}.", path.string(), std::strerror(errno)));
  }
  const std::size_t most = LanguageLimits{}.bytes;
  // One byte more than allowed tells an endless file from a long one.
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > most) {
    refuse(
        fmt::format("The model file {} is too large; the limit is {} bytes.", path.string(), most));
  }
  if (text.empty()) refuse(fmt::format("The model file {} is empty.", path.string()));
  if (text.find('\0') != std::string::npos) {
    refuse(fmt::format("The model file {} is not a text: it holds zero bytes.", path.string()));
  }
  return text;
}

// Where this library lies: .../lib/libdivker.so finds .../share/divker/models, and in a Python
// package divker/libdivker.so finds divker/models.
std::optional<fs::path> models_beside_library() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&shipped_models), &info) == 0 ||
      info.dli_fname == nullptr) {
    return std::nullopt;
  }
  std::error_code error;
  const fs::path library = fs::canonical(info.dli_fname, error);
  if (error) return std::nullopt;
  if (fs::path own = library.parent_path() / "models"; fs::is_directory(own, error)) return own;
  // Debian and others have one more folder: lib/x86_64-linux-gnu.
  for (fs::path base = library.parent_path().parent_path(); base != base.root_path();
       base = base.parent_path()) {
    fs::path candidate = base / "share" / "divker" / "models";
    if (fs::is_directory(candidate, error)) return candidate;
    if (base.filename() != "lib" && base.filename() != "lib64") break;
  }
  return std::nullopt;
}

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  if (const char* own = std::getenv("DIVKER_MODELS"); own != nullptr && *own != '\0') {
    folders.emplace_back(own);
  }
  if (const auto beside = models_beside_library()) folders.push_back(*beside);
#ifdef DIVKER_INSTALLED_MODELS
  folders.emplace_back(DIVKER_INSTALLED_MODELS);
#endif
#ifdef DIVKER_SOURCE_MODELS
  folders.emplace_back(DIVKER_SOURCE_MODELS);
#endif
  return folders;
}

std::string summary_of(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t text = line.find_first_not_of("# \t");
    if (line.starts_with('#') && text != std::string::npos) {
      return line.substr(text, line.find_last_not_of(" \t\r") - text + 1);
    }
  }
  return "";
}

}  // namespace

std::vector<ShippedModel> shipped_models() {
  std::vector<ShippedModel> models;
  for (const fs::path& folder : model_folders()) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() != ".sde" || !entry.is_regular_file(error)) continue;
      const std::string name = entry.path().stem().string();
      const bool known = std::any_of(models.begin(), models.end(),
                                     [&name](const ShippedModel& m) { return m.name == name; });
      if (!known) models.push_back({name, entry.path().string(), summary_of(entry.path())});
    }
  }
  std::sort(models.begin(), models.end(),
            [](const ShippedModel& a, const ShippedModel& b) { return a.name < b.name; });
  return models;
}

Model load_model(const std::string& file_or_name) {
  if (file_or_name == "-") return parse_model(read_text("/dev/stdin"), file_or_name);
  std::error_code error;
  const fs::path path(file_or_name);
  const bool looks_like_file =
      path.has_parent_path() || path.extension() == ".sde" || !is_identifier(file_or_name);
  if (looks_like_file || fs::is_regular_file(path, error)) {
    if (!file_or_name.empty() && fs::exists(path, error)) {
      return parse_model(read_text(path), file_or_name);
    }
  }
  std::vector<std::string> names;
  for (const ShippedModel& model : shipped_models()) {
    if (model.name == file_or_name) return parse_model(read_text(model.path), model.path);
    names.push_back(model.name);
  }
  refuse(fmt::format(
      "There is no model file {} and no shipped model of that name.{} The shipped "
      "models are: {}.",
      in_quotes(file_or_name), did_you_mean(path.stem().string(), names), fmt::join(names, ", ")));
}

}  // namespace divker
