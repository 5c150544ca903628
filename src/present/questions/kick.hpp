// Linear response in time: the questions that --kick asks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "divker/response_function.hpp"
#include "present/questions/law.hpp"

namespace divker::present {

struct KickRequest {
  std::string kick;
  std::string lags;
  std::vector<double> frequencies;
  std::optional<double> period;
  std::optional<double> phase;
  GivenTables forcing;  // one, with the columns t and the change of the parameter
};

void describe(KickRequest& r, OptionVisitor& visit);

// The times of "0:0.1:10" or "0,1,2.5". Error(usage) for another text.
[[nodiscard]] std::vector<double> lags_in(const std::string& text, const std::string& option);

// The law says whether it is the stationary one; `method` is path-kernel, divergence-kernel for a
// stationary law, or empty.
[[nodiscard]] Reply of_kick(const Model& model, const KickRequest& asked, const LawRequest& law,
                            const std::string& observable, const std::string& method,
                            const Session& session);

}  // namespace divker::present
