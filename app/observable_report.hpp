// Report of the response of an observable's mean.
#pragma once

#include <string>

#include "command.hpp"

namespace divker::app {

// Prints the table or the JSON object, writes --out.
int report_observable(const CommonOptions& options, const Model& model,
                      const std::string& observable, const ObservableAnswer& answer,
                      const Remarks& remarks = {});

// The observable is an argument of the command line: what is wrong with it is Error(usage).
void check_observable(const Model& model, const std::string& observable);

}  // namespace divker::app
