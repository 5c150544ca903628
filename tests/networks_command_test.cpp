// Networks as the user of the command meets them: fitted, kept in files, read again.
#include <gmock/gmock.h>

#include "divker/npy.hpp"
#include "support/command.hpp"

namespace divker::test {
namespace {

using ::testing::HasSubstr;

constexpr int usage = 2;
constexpr int model_at_fault = 3;
constexpr int not_converged = 4;

class NetworksCommandTest : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    write("m.sde",
          "model m\nparam s = 0.5 in (0, inf)\nparam A[2, 2] = [[-1, 0], [0, -1]] fixed\nstate "
          "x[2]\nnet h(x) = tanh 2, linear 2 fixed\nnet g(u) = tanh 2, linear 1\n"
          "dx[i] = ((A*x)[i] + h(x)[i] + g(x[i])) dt + s dW[i]\ninit x ~ normal(0, 1)\n"
          "time 0 : 0.05 : 1\n");
  }
};

TEST_F(NetworksCommandTest, AFitKeepsItsWeightsBesideTheModel) {
  ASSERT_EQ(run({"sample", "m.sde", "-n", "300", "--set", "s=0.7", "--out", "y.npy"}).code, 0);
  const Outcome fit = run({"fit", "m.sde", "--data", "y.npy", "--paths", "2000", "--iterations",
                           "2", "--out", "fitted.sde"});
  ASSERT_EQ(fit.code, not_converged) << fit.err;  // what two iterations reach is written
  const std::string text = text_of(path("fitted.sde"));
  EXPECT_THAT(text, HasSubstr("net h(x) = tanh 2, linear 2 weights \"fitted.h.npy\" fixed\n"));
  EXPECT_THAT(text, HasSubstr("net g(u) = tanh 2, linear 1 weights \"fitted.g.npy\"\n"));
  EXPECT_EQ(read_npy(path("fitted.h.npy")).rows, 2U + 2 + 12);  // sizes before the weights
  const Matrix weights = read_npy(path("fitted.g.npy"));
  ASSERT_EQ(weights.rows, 4U + 7);
  const Json shown = json_of({"show", "fitted.sde", "--json"});
  bool found = false;
  for (const Json& parameter : shown["parameters"]) {
    if (parameter["name"] != "g.W1[1,0]") continue;
    found = true;
    EXPECT_EQ(parameter["value"].get<double>(), weights(5, 0));
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(run({"sample", "fitted.sde", "-n", "10", "--out", "s.npy"}).code, 0);

  // A network of another shape, a file that is none, and one that is missing.
  write("wide.sde",
        text.substr(0, text.find("tanh 2")) + "tanh 3" + text.substr(text.find("tanh 2") + 6));
  const Outcome wide = run({"show", "wide.sde"});
  EXPECT_EQ(wide.code, model_at_fault);
  EXPECT_THAT(wide.err, HasSubstr("fitted.h.npy holds the weights of a network of 2 - 2 - 2, but "
                                  "the network h of the model is one of 2 - 3 - 2."));
  std::filesystem::copy(path("y.npy"), path("fitted.h.npy"),
                        std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(run({"show", "fitted.sde"}).err, HasSubstr("holds no weights of a network"));
  std::filesystem::remove(path("fitted.h.npy"));
  const Outcome missing = run({"show", "fitted.sde"});
  EXPECT_EQ(missing.code, model_at_fault);
  EXPECT_THAT(missing.err, HasSubstr("takes the weights of the network h from 'fitted.h.npy', but "
                                     "there is no such file"));
}

TEST_F(NetworksCommandTest, ComponentsHaveNames) {
  const Json json = json_of({"response", "m.sde", "--observable", "h(x)[1] + A[0, 1]", "--wrt",
                             "A[0,1],g.b1,s,g.W1[1]", "--set", "A[0, 1]=0.25", "--set",
                             "g.b2[0]=0.5", "--paths", "500"});
  EXPECT_EQ(json["parameters"],
            (std::vector<std::string>{"A[0,1]", "g.b1[0]", "g.b1[1]", "s", "g.W1[1,0]"}));
  EXPECT_THAT(json["model_text"].get<std::string>(),
              HasSubstr("param A[2, 2] = [[-1, 0.25], [0, -1]] fixed\n"));
  EXPECT_THAT(json["model_text"].get<std::string>(),
              HasSubstr("net g(u) = tanh 2, linear 1 weights ["));
  const Outcome wrong = run({"simulate", "m.sde", "--set", "A[0,2]=1"});
  EXPECT_EQ(wrong.code, usage);
  EXPECT_THAT(wrong.err, HasSubstr("There is no component 'A[0,2]' of the parameter A; its "
                                   "components are A[0,0] to A[1,1]."));
}

}  // namespace
}  // namespace divker::test
