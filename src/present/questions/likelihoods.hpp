// Log-likelihoods of snapshot data: of one model, and of several on the same data.
#pragma once

#include <string>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/likelihood.hpp"
#include "present/reply.hpp"
#include "present/request.hpp"

namespace divker::present {

struct LikelihoodRequest : DampedRequest {
  GivenTables data;
  DataOptions columns;
  bool ignore_time_step = false;
};

void describe(LikelihoodRequest& r, OptionVisitor& visit);

// Its table: row, t, log_density of each row of the data.
[[nodiscard]] Reply reply_to(const LikelihoodRequest& request, const Model& model,
                             const Session& session);

struct CompareRequest : LikelihoodRequest {
  bool nested = false;  // is the first of two models the second one with parameters held?
};

void describe(CompareRequest& r, OptionVisitor& visit);

struct NamedModel {
  std::string name;
  Model model;
};

// Ranks models by AIC. Its table: parameters, log_likelihood, stderr, aic, bic, weight of each
// model in their order. Error(usage) for less than two models, and for models that measure other
// rows.
[[nodiscard]] Reply compared(const CompareRequest& request, const std::vector<NamedModel>& models,
                             const Session& session);

}  // namespace divker::present
