#include "present/question.hpp"

namespace divker::present {

// Each in a file of its own.
Question density_question();
Question score_question();
Question response_question();
Question diagnose_question();
Question forecast_question();
Question residuals_question();
Question likelihood_question();

std::vector<Question>& questions() {
  static std::vector<Question> all{density_question(),   score_question(),    response_question(),
                                   diagnose_question(),  forecast_question(), residuals_question(),
                                   likelihood_question()};
  return all;
}

Fields fields_of(const Reply& reply) {
  Fields all = reply.answer;
  all.append(reply.how_made);
  fields::run(all, reply.model, reply.record);
  return all;
}

}  // namespace divker::present
