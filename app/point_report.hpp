// Options and report of answers at points: score and response.
#pragma once

#include <string>
#include <vector>

#include "command.hpp"

namespace divker::app {

struct PointOptions : CommonOptions {
  std::string at;
  std::size_t grid = 9;
  double time = 0.0;
  bool has_time = false;
  bool fokker_planck = false;
  std::string regressor;
  RegressorOptions regressor_options;

  void declare_all(CLI::App& command);
  [[nodiscard]] AnswerOptions answer_options_with_points(const LoadedModel& loaded) const;
};

// Prints the table or the JSON object, writes --out. `key` is the name of the values ("score",
// "response"); `parameters` are those of a response, none for a score. With --fokker-planck the
// solution of the Fokker-Planck equation stands beside the estimates.
int report_points(const PointOptions& options, const Model& model, const PointAnswer& answer,
                  const std::string& key, const std::vector<std::size_t>& parameters,
                  const Remarks& remarks = {});

}  // namespace divker::app
