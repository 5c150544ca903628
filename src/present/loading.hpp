// A model as a user asks for it: with values set, and with the files that it names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "divker/model.hpp"
#include "present/option.hpp"

namespace divker::present {

// Parameters by name, and `dt` and `T`, which together may pass through grids that do not divide:
// the grid is set once. What is set has no errors of a fit any more. Errors as Model::with_value.
[[nodiscard]] Model with_values(Model model, const Values& values);
// The same for numbers and for expressions of parameters, `dt` and `T`, all of them evaluated at
// the values that the model has before. Error(usage) for a text that is neither.
[[nodiscard]] Model with_settings(const Model& model, const Settings& settings, Voice voice);

// With the parameters of these names fixed, or free, for answers and fits. Error(usage) for names
// that are none; Error(model) where an exact observation depends on one that is made free.
[[nodiscard]] Model with_fixed(const Model& model, const std::vector<std::string>& names,
                               bool fixed);

// With the files of `input u(t) from "..."` and of `net ... weights "..."`, which are looked for in
// `folder`, that of the model file, then in the current one. Error(model) for files at fault, with
// the line. What their reader remarks is added to `remarks`.
[[nodiscard]] Model with_inputs_read(const Model& model, const std::filesystem::path& folder,
                                     std::vector<std::string>& remarks);

// The weights of its networks written beside a model file, to "NAME.h.npy" for the network h of
// "NAME.sde"; the text of the model that is returned refers to them. Error(usage) as write_npy.
[[nodiscard]] Model with_weights_written(Model model, const std::filesystem::path& file);

// With those of `init x ~ samples("...")` as well.
[[nodiscard]] Model with_files_read(const Model& model, const std::filesystem::path& folder,
                                    std::vector<std::string>& remarks);

// A file or the name of a shipped model, with the files that it names.
[[nodiscard]] Model load_with_files(const std::string& file_or_name,
                                    std::vector<std::string>& remarks);

}  // namespace divker::present
