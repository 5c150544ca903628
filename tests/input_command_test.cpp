// Files of inputs as a user meets them: beside the model, in every format, and at fault.
#include <cmath>

#include "divker/table.hpp"
#include "support/command.hpp"

namespace divker::test {
namespace {

constexpr int usage = 2;
constexpr int model = 3;

class InputCommandTest : public CommandTest {
 protected:
  void write_driven(const std::string& name, const std::string& input) const {
    write_model(name, "param a = 1\n" + input +
                          "\nstate x\ndx = (u - a*x) dt + 0.3 dW\ninit x ~ normal(0, 1)");
  }
  [[nodiscard]] std::string printed(const std::string& file) const {
    const Outcome outcome = run({"simulate", file, "--paths", "300", "--quiet"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  }
  // What is wrong with a file u.csv of this text.
  void expect_fault(const std::string& text, const std::string& message) const {
    write("u.csv", text);
    expect_failure({"simulate", "m.sde"}, model, message);
  }
};

TEST_F(InputCommandTest, EveryFormatSaysTheSame) {
  const Table table{{"t", "u"}, Matrix(3, 2)};
  Table values = table;
  values.values.data = {0.0, 1.0, 0.25, -1.0, 1.0, 2.0};
  std::filesystem::create_directory(path("data"));
  for (const std::string name : {"u.csv", "u.npy", "u.h5"}) {
    write_table(path("data/" + name), values);
    write_driven("m_" + name.substr(2), "input u(t) from \"data/" + name + "\"");
  }
  write("data/named.csv", "hour;level [m];t;u\n0;1,0;5;5\n0,25;-1;6;6\n1;2;7;7\n");
  write_driven("named", "input u(t) from \"data/named.csv\" columns hour, \"level [m]\"");
  const std::string expected = printed("m_csv.sde");
  EXPECT_EQ(printed("m_npy.sde"), expected);
  EXPECT_EQ(printed("m_h5.sde"), expected);
  EXPECT_EQ(printed("named.sde"), expected);
  write_driven("steps", "input u(t) from \"data/u.csv\" step");
  EXPECT_NE(printed("steps.sde"), expected);
  const Json show = json_of({"show", "m_csv.sde"});
  EXPECT_EQ(show["inputs"], Json::parse(R"([{"name": "u", "file": "data/u.csv",
      "interpolation": "linear", "hold": false, "knots": 3, "first": 0.0, "last": 1.0}])"));
  EXPECT_NE(run({"show", "steps.sde"})
                .out.find("input: u, 3 knots from t = 0 to t = 1, constant between them"),
            std::string::npos);
}

TEST_F(InputCommandTest, FilesLieBesideTheModel) {
  std::filesystem::create_directory(path("sub"));
  write("sub/u.csv", "t,u\n0,1\n1,1\n");
  write_driven("sub/m", "input u(t) from \"u.csv\"");
  std::filesystem::remove(path("sub/m.sde"));
  write("sub/m.sde",
        "model m\nparam a = 1\ninput u(t) from \"u.csv\"\nstate x\ndx = (u - a*x) dt + 0.3 dW\n"
        "init x ~ normal(0, 1)\ntime 0 : 0.01 : 1\n");
  EXPECT_NE(printed("sub/m.sde"), "");
  write_driven("up", "input u(t) from \"../u.csv\"");
  expect_failure({"simulate", "up.sde"}, model,
                 "The model up takes the input u from '../u.csv'; a model may only name files in "
                 "its own folder or below, without '..'.");
}

TEST_F(InputCommandTest, FilesAtFaultAreRefusedWithThePlace) {
  write_driven("m", "input u(t) from \"u.csv\"");
  expect_failure({"simulate", "m.sde"}, model,
                 "The model m takes the input u from 'u.csv', but there is no such file beside the "
                 "model or in the current folder.");
  expect_failure({"show", "m.sde"}, model, "The model m takes the input u from 'u.csv', but");
  expect_fault("", "u.csv");
  expect_fault("t,v\n0,1\n1,2\n", "u.csv has no column 'u'; its columns are t, v");
  expect_fault("s,u\n0,1\n1,2\n", "u.csv has no column 't'; its columns are s, u");
  expect_fault("0,1,2\n1,2,3\n", "u.csv has 3 columns without names; expected 2: t, u");
  expect_fault("t,u\n0,1\n# rain\n0.5,wet\n1,2\n", "u.csv:4: 'wet' in column 'u' is not a number");
  expect_fault("t,u\n0,1\n0.5,\n1,2\n", "u.csv:3: the value of column 'u' is missing");
  expect_fault("t,u\n0,1\n0.5,NaN\n1,2\n", "u.csv:3: the value of column 'u' is missing");
  expect_fault("t,u\n0,1\n\n1,2\n1,3\n",
               "u.csv:5: the knots of the input u: the time 1 follows 1; times must ascend.");
  expect_fault("t,u\n0,1\n2,2\n1,3\n",
               "u.csv:4: the knots of the input u: the time 1 follows 2; times must ascend.");
  expect_fault(
      "t,u\n0,1\n",
      "u.csv:2: the knots of the input u: there is one value; an input needs at least two");
  expect_fault("t,u\n0.5,1\n2,2\n", "The input u of 'u.csv' is known from t = 0.5 to t = 2, not");
  expect_fault(
      "t,u\n0,1\n0.9,2\n",
      "The input u of 'u.csv' is known from t = 0 to t = 0.9, but the paths run from t = 0 "
      "to t = 1: move the time grid, or write 'hold' behind the file");
  EXPECT_EQ(run({"simulate", "m.sde", "--set", "T=0.9", "--quiet", "--paths", "100"}).code, 0);
  write_driven("m", "input u(t) from \"u.csv\" hold");
  EXPECT_EQ(run({"simulate", "m.sde", "--quiet", "--paths", "100"}).code, 0);
  write_driven("m", "input u(t) from \"u.txt\"");
  write("u.txt", "");
  expect_failure({"simulate", "m.sde"}, usage, "has the extension '.txt'");
  write_driven("zero", "input u(t) from \"u.csv\"");
  write(
      "zero.sde",
      "model zero\ninput u(t) from \"u.csv\"\nstate x\ndx = 1/u dt + dW\ninit x = 0\ntime 0 : 0.1 "
      ": 1\n");
  write("u.csv", "t,u\n0,0\n1,1\n");
  expect_failure({"simulate", "zero.sde"}, model, "The drift of x is inf at the start");
}

TEST_F(InputCommandTest, ARunGoesOnWithTheSameFileAlone) {
  write_driven("m", "input u(t) from \"u.csv\"");
  write("u.csv", "t,u\n0,1\n1,2\n");
  const Words words{"simulate", "m.sde", "--paths", "2000", "--quiet", "--checkpoint", "saved"};
  EXPECT_EQ(run(words).code, 0);
  EXPECT_EQ(run(words).code, 0);
  write("u.csv", "t,u\n0,1\n1,2.5\n");
  expect_failure(words, usage, "saved is the checkpoint of another run: the input u is");
}

}  // namespace
}  // namespace divker::test
