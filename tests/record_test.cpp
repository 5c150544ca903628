// What a record says is what ran: for every option and every kind of answer either the answer
// changes with the option and the record names the value, or the option is refused.
#include <set>

#include "support/command.hpp"

namespace divker::test {
namespace {

// An option with two values that matter, and what the record is to say of each.
struct Case {
  Words question;
  std::string option;
  std::string key;  // of the record
  std::vector<std::pair<std::string, Json>> values;
};

// The numbers of an answer: all but the record, which says how, and the clock.
Json numbers_of(Json json) {
  for (const char* key :
       {"alpha",         "seed",       "scheme",          "order",          "resolution",
        "method",        "steps",      "time_grid",       "seconds",        "compile_seconds",
        "pilot_seconds", "model_text", "model_hash",      "version",        "regressor",
        "fd_steps",      "path_runs",  "pilot_path_runs", "pair_path_runs", "paths",
        "reason",        "history"}) {
    json.erase(key);
  }
  return json;
}

class RecordTest : public CommandTest {
 protected:
  [[nodiscard]] Json answer(Words words, const std::string& option, const std::string& value) {
    words.insert(words.end(), {option, value});
    return json_of(words);
  }

  void expect_true_record(const Case& c) {
    SCOPED_TRACE(c.question[0] + " " + c.question[1] + " " + c.option);
    std::set<std::string> seen;
    for (const auto& [value, recorded] : c.values) {
      const Json json = answer(c.question, c.option, value);
      ASSERT_TRUE(json.contains(c.key)) << json;
      EXPECT_EQ(json.at(c.key), recorded) << value;
      seen.insert(numbers_of(json).dump());
    }
    EXPECT_EQ(seen.size(), c.values.size()) << "the option changes nothing";
  }

  // Results depend on none of these.
  void expect_no_effect(const Words& question, const std::string& option, const std::string& first,
                        const std::string& second) {
    SCOPED_TRACE(question[0] + " " + question[1] + " " + option);
    EXPECT_EQ(numbers_of(answer(question, option, first)),
              numbers_of(answer(question, option, second)));
  }

  // Fits of a model of one parameter, to data that the command has drawn.
  [[nodiscard]] Words fit() {
    write("plain.sde",
          "model plain\nparam a = 0.6\nparam s = 0.8 fixed\nstate x\ndx = -a*x dt + s dW\n"
          "init x ~ normal(1, 0.5)\ntime 0 : 0.1 : 1\n");
    EXPECT_EQ(
        run({"simulate", "plain.sde", "--paths", "200", "--set", "a=1", "--out", "d.csv"}).code, 0);
    return {"fit", "plain.sde", "--data", "d.csv", "--paths", "1000"};
  }
};

const Words points{"response", "ou", "--paths", "400", "--grid", "2"};
const Words score{"score", "ou", "--paths", "400", "--grid", "2"};
const Words mean{"response", "ou", "--paths", "400", "--observable", "x^2"};
const Words stationary{"response", "ou", "--stationary", "--paths", "128",      "--window", "1",
                       "--spinup", "2",  "--observable", "x^2",     "--length", "4"};

TEST_F(RecordTest, SeedsAndPaths) {
  for (const Words& question : {points, score, mean, stationary, fit()}) {
    expect_true_record({question, "--seed", "seed", {{"1", 1}, {"7", 7}}});
  }
  for (const Words& question :
       {Words{"response", "ou", "--grid", "2"}, Words{"score", "ou"},
        Words{"response", "ou", "--observable", "x^2"}, Words{"simulate", "ou"}}) {
    expect_true_record({question, "--paths", "paths", {{"300", 300}, {"400", 400}}});
  }
}

TEST_F(RecordTest, Schemes) {
  for (const Words& question : {points, score, mean, stationary, fit()}) {
    Words with_dt = question;
    with_dt.insert(with_dt.end(), {"--alpha", "2"});
    expect_true_record({with_dt, "--scheme", "scheme", {{"euler", "euler"}, {"exact", "exact"}}});
  }
  for (const char* question : {"score", "response"}) {
    expect_failure({question, "logistic", "--scheme", "euler"}, 2, "is for SDEs: model logistic");
  }
}

TEST_F(RecordTest, Orders) {
  for (const Words& question : {points, score, mean, stationary, fit()}) {
    Words damped = question;
    damped.insert(damped.end(), {"--alpha", "2"});
    expect_true_record({damped, "--order", "order", {{"1", 1}, {"2", 2}}});
  }
  // Left open it is what ran: second for the long paths of an SDE, first elsewhere.
  EXPECT_EQ(json_of(stationary).at("order"), 2);
  EXPECT_EQ(json_of(points).at("order"), 1);
  const Json map = json_of({"response", "logistic", "--stationary", "--paths", "128", "--window",
                            "4", "--spinup", "8", "--length", "16", "--observable", "x"});
  EXPECT_EQ(map.at("order"), 1);
  EXPECT_EQ(map.at("scheme"), "exact");
  expect_failure({"response", "logistic", "--order", "2", "--observable", "x"}, 2,
                 "model logistic is a discrete-time map, whose step is exact");
  Words exact = mean;
  exact.insert(exact.end(), {"--scheme", "exact", "--order", "2"});
  expect_failure(exact, 2, "the exact scheme keeps all orders");
}

TEST_F(RecordTest, Dampings) {
  for (const Words& question : {points, score, mean, stationary, fit()}) {
    expect_true_record(
        {question,
         "--alpha",
         "alpha",
         {{"2", "2"}, {"5", "5"}, {"jacobian:2,0.5", "jacobian:2,0.5"}, {"gaussian", "gaussian"}}});
    Words euler = question;
    euler.insert(euler.end(), {"--alpha", "kernel"});
    expect_failure(euler, 2, "The damping 'kernel' belongs to exact steps");
  }
}

TEST_F(RecordTest, Resolutions) {
  for (const Words& question : {points, score, mean, stationary, fit()}) {
    expect_true_record(
        {question, "--resolution", "resolution", {{"fast", "fast"}, {"full", "full"}}});
  }
}

TEST_F(RecordTest, Methods) {
  for (Words question : {points, mean}) {
    question.insert(question.end(), {"--wrt", "m"});
    expect_true_record({question,
                        "--method",
                        "method",
                        {{"divergence-kernel", "divergence-kernel"},
                         {"likelihood-ratio", "likelihood-ratio"},
                         {"finite-difference", "finite-difference"}}});
    EXPECT_EQ(json_of(question).at("method"), "divergence-kernel");
  }
}

TEST_F(RecordTest, Regressors) {
  for (const Words& question : {points, score}) {
    expect_true_record(
        {question,
         "--regressor",
         "regressor",
         {{"bins", "bins"}, {"polynomial", "polynomial"}, {"neighbours", "neighbours"}}});
  }
}

TEST_F(RecordTest, TimeGrids) {
  for (const Words& question : {points, score, mean, fit()}) {
    std::set<std::string> seen;
    for (const double dt : {0.1, 0.05}) {
      const Json json = answer(question, "--set", "dt=" + std::to_string(dt));
      EXPECT_EQ(json.at("time_grid").at("step"), dt);
      seen.insert(numbers_of(json).dump());
    }
    EXPECT_EQ(seen.size(), 2U);
  }
}

TEST_F(RecordTest, ThreadsAndBlocksChangeNothing) {
  for (const Words& question : {points, score, mean, stationary, fit()}) {
    expect_no_effect(question, "--threads", "1", "2");
    expect_no_effect(question, "--block", "8", "64");
  }
}

}  // namespace
}  // namespace divker::test
