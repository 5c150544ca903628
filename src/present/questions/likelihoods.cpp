#include "present/questions/likelihoods.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "present/fitting.hpp"
#include "present/question.hpp"
#include "present/tables.hpp"

namespace divker::present {
namespace {

FitData measured_rows(const LikelihoodRequest& request, const Model& model) {
  std::vector<DataTable> tables = request.data.tables;
  for (const std::string& file : request.data.files) tables.push_back(data_in(file, {}));
  return match_data(model, tables, request.columns);
}

Likelihood likelihood_of(const LikelihoodRequest& request, const Model& model, const FitData& data,
                         const Session& session) {
  LikelihoodOptions options;
  options.method = method_of(request);
  options.sampling = sampling_of(request);
  options.session = session_of(request, session);
  options.time_step = !request.ignore_time_step;
  return log_likelihood(model, data, options);
}

void tell_remarks_on(std::vector<Warning>& warnings, const FitData& data, const Likelihood& found) {
  for (const std::string& remark : data.remarks) warnings.push_back({"data", remark});
  if (!data.ignored.empty()) {
    warnings.push_back(
        {"data", fmt::format("Columns not used: {}.", fmt::join(data.ignored, ", "))});
  }
  for (const std::string& remark : found.remarks) warnings.push_back({"likelihood", remark});
}

void tell(Fields& o, const Likelihood& found) {
  o.set("log_likelihood", found.value);
  o.set("log_likelihood_stderr", found.standard_error);
  if (!std::isnan(found.time_step)) o.set("time_step", found.time_step);
  o.set("aic", found.aic);
  o.set("bic", found.bic);
  o.set("free_parameters", found.parameters);
  o.set("rows", found.rows);
  o.set("individuals", found.individuals);
  if (!std::isnan(found.fewest_paths)) o.set("fewest_paths", found.fewest_paths);
  if (!std::isnan(found.tail_index)) o.set("tail_index", found.tail_index);
}

Table table_of_rows(const FitData& data, const Likelihood& found) {
  Table table{{"row", "t", "log_density"}, {}};
  std::size_t k = 0;
  for (const DataBlock& block : data.blocks) {
    for (std::size_t r = 0; r < block.values.rows; ++r, ++k) {
      append_row(table.values, {static_cast<double>(block.rows[r]), block.time, found.each[k]});
    }
  }
  return table;
}

struct Ranked {
  const NamedModel* model = nullptr;
  Likelihood found;
  double weight = 0.0;
};

// exp(-AIC/2), of sum one: H. Akaike, The Statistician 27 (1978) 217.
void set_weights(std::vector<Ranked>& all) {
  double least = all.front().found.aic;
  for (const Ranked& one : all) least = std::min(least, one.found.aic);
  double sum = 0.0;
  for (Ranked& one : all) sum += one.weight = std::exp(-0.5 * (one.found.aic - least));
  for (Ranked& one : all) one.weight /= sum;
}

// What the data say of a model beside the best one.
std::string verdict(const Ranked& best, const Ranked& other, const LikelihoodComparison& between) {
  constexpr double level = 0.05;
  const double behind = other.found.aic - best.found.aic;
  const double noise = 2.0 * between.standard_error;
  std::string text = fmt::format("{} is {:.4g} +- {:.2g} behind {} in AIC", other.model->name,
                                 behind, noise, best.model->name);
  if (behind < 2.0 * noise) {
    return text + ": more paths are needed to tell which is ahead.";
  }
  if (std::isnan(between.vuong)) return text + ": they give the data the same density.";
  if (between.p > level) {
    return text + fmt::format(": the data cannot tell them apart (p = {:.2g}).", between.p);
  }
  return text + fmt::format(": the data tell them apart (p = {:.2g}).", between.p);
}

std::string text_of_ranking(const std::vector<Ranked>& all) {
  std::string text = fmt::format("{:>24} {:>10} {:>26} {:>12} {:>12} {:>10}\n", "model",
                                 "parameters", "log-likelihood", "AIC", "BIC", "weight");
  for (const Ranked& one : all) {
    text += fmt::format("{:>24} {:>10} {:>14.3f} +- {:<8.2g} {:>12.2f} {:>12.2f} {:>10.3g}\n",
                        one.model->name, one.found.parameters, one.found.value,
                        one.found.standard_error, one.found.aic, one.found.bic, one.weight);
  }
  return text;
}

void require_same_rows(const FitData& first, const FitData& other, const NamedModel& a,
                       const NamedModel& b) {
  const bool same =
      std::ranges::equal(first.blocks, other.blocks, [](const DataBlock& x, const DataBlock& y) {
        return x.time == y.time && x.rows == y.rows && x.values.cols == y.values.cols;
      });
  if (same) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} and {} do not measure the same rows and columns of the data at the "
                          "same times of their grids, so that their likelihoods are of different "
                          "things.",
                          a.name, b.name));
}

}  // namespace

void describe(LikelihoodRequest& r, OptionVisitor& visit) {
  describe(static_cast<DampedRequest&>(r), visit);
  visit(
      Option("data", "A table of measurements, .csv, .npy or .h5 (repeatable)", "FILE").asked_for(),
      r.data);
  visit(Option("time", "The column with the time of each row", "COLUMN"), r.columns.time_column);
  visit(Option("map", "The column that holds a state or observation (repeatable)", "NAME=COLUMN"),
        r.columns.names);
  visit(Option("group", "The column that numbers individuals measured several times", "COLUMN"),
        r.columns.group_column);
  visit(Option("ignore_time_step", "Leave the bias of dt out of the error bar: that of the chain"),
        r.ignore_time_step);
}

void describe(CompareRequest& r, OptionVisitor& visit) {
  describe(static_cast<LikelihoodRequest&>(r), visit);
  visit(Option("nested",
               "The first of two models is the second one with some parameters held: test whether "
               "these are needed"),
        r.nested);
}

Reply reply_to(const LikelihoodRequest& request, const Model& model, const Session& session) {
  const FitData data = measured_rows(request, model);
  const Likelihood found = likelihood_of(request, model, data, session);
  Reply reply{model, found.record, {}, {}, table_of_rows(data, found), {}};
  tell(reply.answer, found);
  reply.text = fmt::format(
      "log-likelihood {:.4f} +- {:.2g} of {} rows\nAIC {:.3f}, BIC {:.3f}, with {} free "
      "parameters\n",
      found.value, found.standard_error, found.rows, found.aic, found.bic, found.parameters);
  if (!std::isnan(found.time_step)) {
    reply.text += fmt::format("dt adds {:.2g} to the error\n", found.time_step);
  }
  tell_remarks_on(reply.record.warnings, data, found);
  fields::method(reply.how_made, reply.record);
  return reply;
}

Reply compared(const CompareRequest& request, const std::vector<NamedModel>& models,
               const Session& session) {
  if (models.size() < 2) {
    throw Error(ErrorKind::usage, "A comparison is of two models at least.");
  }
  if (request.nested && models.size() != 2) {
    throw Error(ErrorKind::usage, fmt::format("{} is for two models; {} were given.",
                                              spelled(request.voice, "nested"), models.size()));
  }
  std::vector<Ranked> all;
  std::vector<Warning> warnings;
  std::optional<FitData> first;
  for (const NamedModel& one : models) {
    FitData data = measured_rows(request, one.model);
    if (first) require_same_rows(*first, data, models.front(), one);
    all.push_back({&one, likelihood_of(request, one.model, data, session), 0.0});
    std::vector<Warning> own;
    tell_remarks_on(own, data, all.back().found);
    for (Warning& warning : own) {
      warning.sentence = one.name + ": " + warning.sentence;
      warnings.push_back(std::move(warning));
    }
    if (!first) first = std::move(data);
  }
  set_weights(all);
  std::vector<Ranked> ranked = all;
  std::ranges::stable_sort(ranked, {}, [](const Ranked& one) { return one.found.aic; });
  const Ranked& best = ranked.front();

  Reply reply{best.model->model, best.found.record, {}, {}, {}, text_of_ranking(ranked)};
  reply.table.columns = {"parameters", "log_likelihood", "stderr", "aic", "bic", "weight"};
  for (const Ranked& one : all) {
    append_row(reply.table.values,
               {static_cast<double>(one.found.parameters), one.found.value,
                one.found.standard_error, one.found.aic, one.found.bic, one.weight});
  }
  reply.text += "\n";
  reply.answer.list("models", ranked, [&](Fields& o, const Ranked& one) {
    o.set("name", one.model->name);
    tell(o, one.found);
    o.set("weight", one.weight);
    if (&one == &best || one.model == best.model) return;
    const LikelihoodComparison between = compare_likelihoods(best.found, one.found);
    o.set("behind", one.found.aic - best.found.aic);
    o.set("behind_stderr", 2.0 * between.standard_error);
    o.set("vuong", between.vuong);
    o.set("vuong_p", between.p);
    o.set("verdict", verdict(best, one, between));
    reply.text += verdict(best, one, between) + "\n";
  });
  if (request.nested) {
    const LikelihoodRatioTest test = likelihood_ratio_test(all[0].found, all[1].found);
    reply.answer.object("nested", [&](Fields& o) {
      o.set("statistic", test.statistic);
      o.set("stderr", test.standard_error);
      o.set("freedom", test.freedom);
      o.set("p", test.p);
    });
    reply.text += fmt::format(
        "nested: 2 (gain in log-likelihood) = {:.4g} +- {:.2g} for {} parameters, p = {:.2g}\n",
        test.statistic, test.standard_error, test.freedom, test.p);
    if (test.statistic < -2.0 * test.standard_error) {
      warnings.push_back({"nested", fmt::format("{} has the larger likelihood although {} is to "
                                                "contain it: that one is not at its maximum, or "
                                                "the models are not nested.",
                                                models[0].name, models[1].name)});
    }
  }
  reply.record.warnings.insert(reply.record.warnings.begin(), warnings.begin(), warnings.end());
  fields::method(reply.how_made, reply.record);
  return reply;
}

Question likelihood_question() {
  return question<LikelihoodRequest>(
      "likelihood", "The log-likelihood of snapshot data under a model as it stands; AIC, BIC");
}

}  // namespace divker::present
