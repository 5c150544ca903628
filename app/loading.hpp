// A model as a user asks for it: with values set, and with the samples that it starts from.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker::app {

struct LoadedModel {
  Model model;
  std::shared_ptr<const Matrix> samples;  // none unless the model starts from some
};

// Parameters by name, and `dt` and `T`, which together may pass through grids that do not divide:
// the grid is set once. Errors as Model::with_value.
[[nodiscard]] Model with_values(Model model,
                                const std::vector<std::pair<std::string, double>>& values);

// The files of `init x ~ samples("...")` are looked for in `folder`, that of the model file, then
// in the current one. Nothing for a model with other initial laws; Error(model) for files at fault.
[[nodiscard]] std::shared_ptr<const Matrix> read_samples(const Model& model,
                                                         const std::filesystem::path& folder);

}  // namespace divker::app
