// Tables of measurements become snapshots of a model; observations in the language.
#include "divker/fit_data.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/language.hpp"
#include "divker/table.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

const char* const growth = R"(model growth
param r = 0.1
param s = 0.2 in (0, inf)
param e = 0.1 in (0, inf)
state w, v
dw = r*w dt + s*w dW
dv = -v dt + s dV
init w ~ lognormal(0, 0.1)
init v ~ normal(0, 1)
observe y = log(w)
observe z ~ normal(v, e)
time 0 : 0.1 : 2
)";

Matrix matrix(std::size_t cols, std::vector<double> values) {
  Matrix m(values.size() / cols, cols);
  m.data = std::move(values);
  return m;
}

std::string message_of(const std::function<void()>& act, ErrorKind kind) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Observations, AreReadAndPrinted) {
  const Model model = parse_model(growth);
  ASSERT_EQ(model.observations().size(), 2U);
  EXPECT_EQ(model.observations()[0].name, "y");
  EXPECT_FALSE(model.observations()[0].noisy);
  EXPECT_TRUE(model.observations()[1].noisy);
  EXPECT_EQ(parse_model(model.text()).hash(), model.hash());
  EXPECT_THAT(model.text(), HasSubstr("observe z ~ normal(v, e)\n"));
}

TEST(Observations, MayBeVectors) {
  const std::string start =
      "model m\nparam e = 1 in (0, inf)\nstate x[3]\ndx[i] = -x[i] dt + dW[i]\n"
      "init x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n";
  const Model all = parse_model(start + "observe y[i] ~ normal(x[i], e)\n");
  ASSERT_EQ(all.observations().size(), 3U);
  EXPECT_EQ(all.observations()[2].name, "y[2]");
  const Model some = parse_model(start + "observe y[0] = x[2]\nobserve y[1] = x[0]\n");
  EXPECT_EQ(some.observations()[0].value, some.states()[2].node);
}

TEST(Observations, OfBuiltModelsArePrinted) {
  ModelBuilder b("built");
  const Expression s = b.parameter("s", 1.0);
  const Expression x = b.state("x");
  b.drift(x, -x);
  b.noise(x, "W", s);
  b.initial_normal(x, 0.0, 1.0);
  b.observe("y", exp(x));
  b.observe_normal("z[0]", x, s);
  b.time(0.0, 0.1, 1.0);
  const Model model = b.build();
  EXPECT_EQ(parse_model(model.text()).hash(), model.hash());
}

TEST(Observations, RefusesFaults) {
  const auto fault = [](const std::string& line) {
    return message_of([&] { (void)parse_model(std::string(growth) + line + "\n"); },
                      ErrorKind::model);
  };
  EXPECT_THAT(fault("observe y = w"), HasSubstr("'y' is declared twice; line 10 declares it"));
  EXPECT_THAT(fault("observe q ~ uniform(w, 1)"),
              HasSubstr("The noise of an observation is normal(mean, sd), but 'uniform'"));
  EXPECT_THAT(fault("observe q : w"), HasSubstr("'=' and a value, or '~' and normal(mean, sd)"));
  EXPECT_THAT(fault("let c = y"), HasSubstr("'y' is an observation; expressions are made of"));
  EXPECT_THAT(fault("observe q = r*w"),
              HasSubstr("The observation q has no noise, but depends on the parameter r; make r "
                        "fixed, or write q ~ normal(..., sd)."));
  EXPECT_THAT(fault("observe q[i] = 2*w"), HasSubstr("as in observe q[i, 0:9] = ..."));
  EXPECT_THAT(fault("observe q[-1] = w"), HasSubstr("The index of q is -1; it must be from 0"));
}

TEST(FitData, GoesToTheNearestStep) {
  const Model model = parse_model(growth);
  DataOptions options;
  options.time_column = "Time";
  options.group_column = "id";
  const FitData data = match_data(
      model, {{"t.csv", {"z", "Time", "id"}, matrix(3, {1, 1.02, 7, 2, 0.5, 7, 3, 1, 8}), {}}},
      options);
  ASSERT_EQ(data.blocks.size(), 2U);
  EXPECT_DOUBLE_EQ(data.blocks[0].time, 0.5);
  EXPECT_DOUBLE_EQ(data.blocks[1].time, 1.0);
  EXPECT_EQ(data.blocks[1].values.data, (std::vector<double>{1, 3}));
  EXPECT_EQ(data.blocks[1].rows, (std::vector<std::size_t>{1, 3}));
  EXPECT_NEAR(data.largest_shift, 0.02, 1e-12);
  EXPECT_EQ(data.rows, 3U);
  EXPECT_EQ(data.individuals, 2U);
}

TEST(FitData, TakesObservationsInOrderAndRenames) {
  const Model model = parse_model(growth);
  const FitData plain = match_data(model, {{"t.npy", {}, matrix(2, {1, 2, 3, 4}), 1.0}}, {});
  EXPECT_EQ(plain.blocks[0].observed, (std::vector<std::size_t>{0, 1}));
  DataOptions options;
  options.names["w"] = "weight";
  const FitData renamed =
      match_data(model, {{"t.csv", {"weight", "diet"}, matrix(2, {1, 2, 3, 4}), 1.0}}, options);
  EXPECT_EQ(renamed.blocks[0].observed, (std::vector<std::size_t>{2}));
  EXPECT_EQ(renamed.ignored, (std::vector<std::string>{"diet"}));
}

TEST(FitData, LeavesOutColumnsThatAreNothingInTheModel) {
  const Model model = parse_model(growth);
  DataTable table{
      "d.csv", {"y", "strain", "y2", "dose"}, matrix(4, {1, NAN, 7, 2, 3, NAN, 8, 2}), 1.0};
  table.texts[1] = {{"wt", "ko"}, "d.csv:2: 'wt' in column 'strain' is not a number"};
  const FitData data = match_data(model, {table, table}, {});
  EXPECT_EQ(data.blocks[0].observed, std::vector<std::size_t>{0});
  EXPECT_EQ(data.blocks[0].values.data, (std::vector<double>{1, 3}));
  EXPECT_EQ(data.ignored, (std::vector<std::string>{"strain", "y2", "dose"}));
}

TEST(FitData, RefusesColumnsThatMayBeMeant) {
  const Model model = parse_model(
      "model m\nparam a = 1\nstate weight, age\ndweight = -a*weight dt + dW\ndage = -age dt + dV\n"
      "init weight ~ normal(0, 1)\ninit age ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  const auto message = [&](const std::string& column, const DataTable& beside,
                           const DataOptions& options = {}) {
    DataTable table = beside;
    table.columns.push_back(column);
    table.values = Matrix(3, table.columns.size(), 0.5);
    return message_of([&] { (void)match_data(model, {table}, options); }, ErrorKind::model);
  };
  const std::string nothing = "nothing was thrown";
  const DataTable ages{"d.csv", {"age"}, {}, {}};
  const DataTable both{"d.csv", {"age", "weight"}, {}, {}};
  for (const char* slip : {"wieght", "Weight", "weigth"}) {
    EXPECT_EQ(message(slip, ages),
              "The column '" + std::string(slip) +
                  "' of d.csv is neither an observation nor a state of the model m; these are "
                  "weight and age. Did you mean 'weight'? Columns can be renamed, and others left "
                  "out, with --map NAME=COLUMN.");
    EXPECT_EQ(message(slip, both), nothing);
  }
  DataOptions mapped;
  mapped.names["age"] = "age";
  EXPECT_EQ(message("wieght", ages, mapped), nothing);
  EXPECT_EQ(message("t", ages),
            "d.csv has a column 't': name it with --time t if it holds the times of the rows, or "
            "give the time of all rows with @T.");
  DataTable of_a_time = ages;
  of_a_time.time = 1.0;
  EXPECT_EQ(message("t", of_a_time), nothing);
  DataOptions stationary;
  stationary.stationary = true;
  EXPECT_EQ(message("time", ages, stationary), nothing);
}

TEST(FitData, RefusesBadTables) {
  const Model model = parse_model(growth);
  const auto fault = [&](const DataTable& table, ErrorKind kind, const DataOptions& options = {}) {
    return message_of([&] { (void)match_data(model, {table}, options); }, kind);
  };
  const ErrorKind of_data = ErrorKind::model;
  EXPECT_THAT(fault({"d.npy", {}, matrix(2, {1, 2, INFINITY, 4}), {}}, of_data),
              HasSubstr("d.npy holds inf in row 2, column number 1; data must be finite."));
  EXPECT_THAT(fault({"d.npy", {}, matrix(2, {NAN, NAN}), {}}, of_data),
              HasSubstr("d.npy holds no row with a value of y and z."));
  EXPECT_THAT(fault({"d.npy", {}, matrix(3, {1, 2, 3}), {}}, of_data),
              HasSubstr("d.npy has 3 columns without names; expected 2: y and z."));
  EXPECT_THAT(fault({"d.csv", {"weight"}, matrix(1, {1}), {}}, of_data),
              HasSubstr("The column 'weight' of d.csv is neither an observation nor a state of the "
                        "model growth; these are y, z, w and v."));
  EXPECT_THAT(fault({"d.csv", {"w"}, matrix(1, {1, 2, -3}), {}}, of_data),
              HasSubstr("Row 3 of d.csv has 'w' = -3, but w stays positive in the model growth"));
  EXPECT_THAT(fault({"d.csv", {"w"}, matrix(1, {1, -3}), {}, {}, {2, 5}}, of_data),
              HasSubstr("Line 5 of d.csv has 'w' = -3, but w stays positive in the model growth"));
  EXPECT_THAT(fault({"d.csv", {"y"}, matrix(1, {1}), 2.5}, ErrorKind::usage),
              HasSubstr("The time 2.5 of d.csv is outside the time grid 0 : 0.1 : 2 of the model; "
                        "the nearest time on it is 2."));
  EXPECT_THAT(fault({"d.csv", {"y"}, Matrix(0, 1), {}}, of_data), HasSubstr("holds no rows"));
  DataOptions options;
  options.time_column = "tme";
  EXPECT_THAT(fault({"d.csv", {"y", "time"}, matrix(2, {1, 2}), {}}, ErrorKind::usage, options),
              HasSubstr("--time: d.csv has no column 'tme'; its columns are y and time."));
  DataOptions map;
  map.names["q"] = "y";
  EXPECT_THAT(fault({"d.csv", {"y"}, matrix(1, {1}), {}}, ErrorKind::usage, map),
              HasSubstr("--map q=...: 'q' is neither an observation nor a state"));
}

// Numbers and times from columns, and what else a file may hold beside them.
DataTable with_text(const std::string& name, std::vector<std::string> cells) {
  DataTable table{"d.csv", {"y", "t", name}, matrix(3, {1, 1, NAN, 2, 1, NAN, 3, 2, NAN}), {}};
  table.texts[2] = {std::move(cells), "d.csv:2: 'mouse_0' in column 'id' is not a number"};
  table.lines = {2, 3, 5};
  return table;
}

DataOptions timed() {
  DataOptions options;
  options.time_column = "t";
  return options;
}

TEST(FitData, GroupsMayBeTexts) {
  const Model model = parse_model(growth);
  DataOptions options = timed();
  options.group_column = "id";
  DataTable table = with_text("id", {"mouse_0", "mouse_1", "mouse_0"});
  FitData data = match_data(model, {table}, options);
  EXPECT_EQ(data.individuals, 2U);
  EXPECT_EQ(data.blocks[0].individuals, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(data.blocks[1].individuals, (std::vector<std::size_t>{0}));
  // A number among them is an identity of its own.
  table.texts[2].cells[2].clear();
  table.values(2, 2) = 0.0;
  EXPECT_EQ(match_data(model, {table}, options).individuals, 3U);
  table.values(2, 2) = NAN;
  EXPECT_EQ(message_of([&] { (void)match_data(model, {table}, options); }, ErrorKind::model),
            "The group is missing in line 5 of d.csv, column 'id'.");
  table.values(2, 2) = 1e17;
  EXPECT_EQ(message_of([&] { (void)match_data(model, {table}, options); }, ErrorKind::model),
            "The group 1e+17 in line 5 of d.csv is too large a number to be told from its "
            "neighbours; the limit is 9007199254740992. Write a letter before it.");
}

TEST(FitData, TextsAreRefusedWhereNumbersAreNeeded) {
  const Model model = parse_model(growth);
  const DataTable table = with_text("id", {"mouse_0", "", ""});
  DataOptions options = timed();
  options.names["y"] = "y";
  const FitData unused = match_data(model, {table}, options);
  EXPECT_EQ(unused.rows, 3U);
  EXPECT_EQ(unused.ignored, std::vector<std::string>{"id"});
  const std::string fault = "d.csv:2: 'mouse_0' in column 'id' is not a number";
  const auto message = [&] {
    return message_of([&] { (void)match_data(model, {table}, options); }, ErrorKind::model);
  };
  options.names["z"] = "id";
  EXPECT_EQ(message(), fault);
  options = timed();
  options.time_column = "id";
  options.names["y"] = "y";
  EXPECT_EQ(message(), fault);
  options.stationary = true;  // no time is asked for
  EXPECT_EQ(match_data(model, {table}, options).rows, 3U);
}

TEST(FitData, RowsCountForWhatTheyHave) {
  const Model model = parse_model(growth);
  DataTable table{"d.csv",
                  {"y", "z", "t"},
                  matrix(3, {1, 2, 1,  //
                             3, NAN, 1, NAN, NAN, NAN, NAN, 4, 1, 5, 6, 1, NAN, NAN, 2}),
                  {}};
  table.lines = {2, 3, 4, 5, 6, 7};
  const FitData data = match_data(model, {table}, timed());
  ASSERT_EQ(data.blocks.size(), 3U);
  EXPECT_EQ(data.times(), std::vector<double>{1.0});
  EXPECT_EQ(data.rows, 4U);
  EXPECT_EQ(data.individuals, 4U);
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(data.blocks[0].observed, Sizes{0});
  EXPECT_EQ(data.blocks[0].rows, Sizes{2});
  EXPECT_EQ(data.blocks[1].observed, (Sizes{0, 1}));
  EXPECT_EQ(data.blocks[1].values.data, (std::vector<double>{1, 2, 5, 6}));
  EXPECT_EQ(data.blocks[1].individuals, (Sizes{1, 2}));
  EXPECT_EQ(data.blocks[2].observed, Sizes{1});
  EXPECT_EQ(
      data.remarks,
      (std::vector<std::string>{
          "d.csv: 2 of 6 rows have no value of y and z and are left out, line 4 first.",
          "d.csv: 2 of 6 rows lack some values of y and z; they count for those they have."}));
  table.values(3, 2) = NAN;
  EXPECT_EQ(message_of([&] { (void)match_data(model, {table}, timed()); }, ErrorKind::model),
            "The time is missing in line 5 of d.csv, column 't'.");
}

// One table in the ways in which programs write it.
TEST(FitData, OfFilesAsPeopleHaveThem) {
  const Model model = load_model("ou");
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) /
                                     ("divker_data_" + std::to_string(getpid()) + ".csv");
  const auto read = [&](const std::string& text, DataOptions options) {
    write_whole_file(path, text);
    Table table = read_table(path);
    std::filesystem::remove(path);
    options.time_column = "t";
    return match_data(model, {{"d.csv", table.columns, table.values, {}, table.texts, table.lines}},
                      options);
  };
  DataOptions grouped;
  grouped.group_column = "id";
  DataOptions mapped;
  mapped.names["x"] = "x";
  for (const auto& [text, options] : std::vector<std::pair<std::string, DataOptions>>{
           {"t,x\n0.5,1.25\n0.5,-2.5\n1.0,3\n", {}},
           {"t,x,strain\n0.5,1.25,wt\n0.5,-2.5,\"a, b\"\n1.0,3,wt\n", mapped},
           {"t,x,id\n0.5,1.25,mouse_0\n0.5,-2.5,mouse_1\n1.0,3,mouse_2\n", grouped},
           {",t,x\n0,0.5,1.25\n1,0.5,-2.5\n2,1.0,3\n", {}},
           {"\"\",\"t\",\"x\"\n\"1\",0.5,1.25\n\"2\",0.5,-2.5\n\"3\",1.0,3\n", {}},
           {"t;x\n0.5;1.25\n0.5;-2.5\n1.0;3\n", {}},
           {"t;x\n0,5;1,25\n0,5;-2,5\n1,0;3\n", {}},
           {"t\tx\n0,5\t1,25\n0,5\t-2,5\n1,0\t3\n", {}},
           {"t,x\n0.5,1.25\n,\n0.5,-2.5\nNA,NA\n1.0,3\n", {}}}) {
    SCOPED_TRACE(text);
    const FitData data = read(text, options);
    ASSERT_EQ(data.blocks.size(), 2U);
    EXPECT_EQ(data.times(), (std::vector<double>{0.5, 1.0}));
    EXPECT_EQ(data.blocks[0].values.data, (std::vector<double>{1.25, -2.5}));
    EXPECT_EQ(data.blocks[1].values.data, std::vector<double>{3});
    EXPECT_EQ(data.individuals, 3U);
  }
  EXPECT_EQ(message_of([&] { (void)read("t,x\n0.5,1.25\n0.5,none\n", {}); }, ErrorKind::model),
            path.string() + ":3: 'none' in column 'x' is not a number");
}

// Each set of columns costs what a snapshot costs.
TEST(FitData, LimitsTheSetsOfColumns) {
  const Model model = parse_model(
      "model m\nparam a = 1\nstate x[8]\ndx[i] = -a*x[i] dt + dW[i]\ninit x ~ normal(0, 1)\n"
      "time 0 : 0.1 : 1\n");
  DataTable table{"d.npy", {}, Matrix(65, 8, 0.0), {}};
  for (std::size_t r = 0; r < 65; ++r) {
    for (std::size_t c = 0; c < 7; ++c) {
      if ((r >> c) % 2 == 1) table.values(r, c) = NAN;
    }
  }
  EXPECT_EQ(message_of([&] { (void)match_data(model, {table}, {}); }, ErrorKind::model),
            "The rows of d.npy have values in 65 different sets of columns; the limit is 64. Leave "
            "out columns or rows that are hardly filled.");
  table.values(64, 6) = 0.0;
  EXPECT_EQ(match_data(model, {table}, {}).blocks.size(), 64U);
}

TEST(FitData, LeavesOutColumnsOfRowNumbers) {
  const Model model = parse_model(growth);
  for (const auto& [column, spelled] : std::vector<std::pair<std::string, std::string>>{
           {"", "number 1"}, {"Unnamed: 0", "'Unnamed: 0'"}, {"rownames", "'rownames'"}}) {
    const DataTable table{"d.csv", {column, "y"}, matrix(2, {0, 5, 1, 6}), {}};
    const FitData data = match_data(model, {table}, {});
    EXPECT_EQ(data.blocks[0].values.data, (std::vector<double>{5, 6}));
    EXPECT_EQ(data.remarks, std::vector<std::string>{"d.csv: the column " + spelled +
                                                     ", an index of rows, is not used."});
    EXPECT_TRUE(data.ignored.empty());
  }
  DataOptions options;
  options.group_column = "rownames";
  const DataTable table{"d.csv", {"rownames", "y"}, matrix(2, {0, 5, 0, 6}), {}};
  const FitData used = match_data(model, {table}, options);
  EXPECT_EQ(used.individuals, 1U);
  EXPECT_TRUE(used.remarks.empty());
}

TEST(FitData, KnowsWhatStaysPositive) {
  for (const char* name : {"gbm", "cir", "logistic_growth", "gompertz_growth", "lotka_volterra"}) {
    const Model model = load_model(name);
    const std::string state = model.states().front().name;
    const DataTable table{"d.csv", {state}, matrix(1, {-1}), {}};
    EXPECT_THAT(message_of([&] { (void)match_data(model, {table}, {}); }, ErrorKind::model),
                HasSubstr("stays positive"))
        << name;
  }
  const Model free = load_model("ou");
  EXPECT_EQ(match_data(free, {{"d.csv", {"x"}, matrix(1, {-1}), {}}}, {}).rows, 1U);
}

}  // namespace
}  // namespace divker
