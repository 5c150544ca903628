#include "present/loading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/table.hpp"

namespace divker::present {
namespace {

namespace fs = std::filesystem;

// A model may come from a stranger: the files that it names lie beside it or below, or in the
// current folder or below.
void check_within(const Model& model, const fs::path& file) {
  const bool climbs = std::find(file.begin(), file.end(), "..") != file.end();
  if (!file.is_absolute() && !climbs) return;
  throw Error(ErrorKind::model,
              fmt::format("The model {} starts from the samples in '{}'; a model may only name "
                          "files in its own folder or below, without '..'.",
                          model.name(), file.string()));
}

fs::path samples_path(const Model& model, const std::string& file, const fs::path& folder) {
  check_within(model, file);
  fs::path beside = folder / file;
  std::error_code error;
  if (fs::exists(beside, error)) return beside;
  if (fs::exists(file, error)) return file;
  throw Error(ErrorKind::model,
              fmt::format("The model {} starts from the samples in '{}', but there is no such file "
                          "beside the model or in the current folder.",
                          model.name(), file));
}

}  // namespace

Model with_values(Model model, const Values& values) {
  TimeGrid grid = model.time();
  bool new_grid = false;
  for (const auto& [name, value] : values) {
    if (set_in_grid(grid, name, value)) {
      new_grid = true;
    } else {
      model = model.with_value(name, value);
    }
  }
  return new_grid ? model.with_time(grid) : model;
}

Model with_samples_read(const Model& model, const fs::path& folder,
                        std::vector<std::string>& remarks) {
  if (!model.starts_from_samples()) return model;
  std::map<std::string, std::vector<std::size_t>> states_of_file;
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const InitialLaw& law = model.initial()[i];
    if (law.kind == InitialKind::samples) states_of_file[law.file].push_back(i);
  }
  auto samples = std::make_shared<Matrix>();
  for (const auto& [file, states] : states_of_file) {
    const fs::path path = samples_path(model, file, folder);
    std::vector<std::string> names;
    for (const std::size_t i : states) names.push_back(model.states()[i].name);
    const Table table = read_table(path);
    remarks.insert(remarks.end(), table.remarks.begin(), table.remarks.end());
    const Matrix values = select_columns(table, names, path.string());
    if (samples->rows == 0) *samples = Matrix(values.rows, model.dimension());
    if (values.rows != samples->rows) {
      throw Error(ErrorKind::model,
                  fmt::format("{} has {} rows of initial samples, another file of the model {}.",
                              path.string(), values.rows, samples->rows));
    }
    for (std::size_t r = 0; r < values.rows; ++r) {
      for (std::size_t c = 0; c < states.size(); ++c) (*samples)(r, states[c]) = values(r, c);
    }
  }
  return model.with_samples(std::move(samples));
}

Model load_with_samples(const std::string& file_or_name, std::vector<std::string>& remarks) {
  return with_samples_read(load_model(file_or_name), fs::path(file_or_name).parent_path(), remarks);
}

}  // namespace divker::present
