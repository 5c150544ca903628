// Vectors and matrices of parameters: values against loops by hand, shapes that do not fit, names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "divker/language.hpp"
#include "support/errors.hpp"

namespace divker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string start =
    "model m\n"
    "param A[2, 3] = [[1, -2, 3], [0.5, 4, -1]]\n"
    "param b[2] = [0.1, 0.2]\n"
    "param S[2, 2] = [[1, 0.5], [0.25, 2]]\n"
    "const C[3, 2] = [[1, 2], [3, 4], [5, 6]]\n"
    "state x[2], z[3]\n";
const std::string rest =
    "dz[k] = -z[k] dt + dV[k]\n"
    "init x ~ normal(0, 1)\ninit z ~ normal(0, 1)\ntime 0 : 0.1 : 1\n";

Model with(const std::string& equations) { return parse_model(start + equations + rest); }

const std::vector<double> point{0.3, -0.7, 1.1, 0.4, -0.9};  // x, z

std::vector<double> drift_at_point(const Model& model) {
  return evaluate(*model.graph(), model.drift(), model.input_values(point, 0.0));
}

// That of the two states x.
void expect_drift(const std::string& equations, double first, double second) {
  const std::vector<double> drift = drift_at_point(with(equations));
  EXPECT_NEAR(drift[0], first, 1e-14) << equations;
  EXPECT_NEAR(drift[1], second, 1e-14) << equations;
}

const double az0 = 1.0 * 1.1 - 2.0 * 0.4 + 3.0 * -0.9;
const double az1 = 0.5 * 1.1 + 4.0 * 0.4 - 1.0 * -0.9;

TEST(Arrays, ProductsAreSumsOverColumns) {
  expect_drift("dx[i] = sum(j, 0:2, A[i, j]*z[j]) dt + dW[i]\n", az0, az1);
  expect_drift("dx[i] = (A*z)[i] dt + dW[i]\n", az0, az1);
  expect_drift("dx[i] = dot(A[i], z) dt + dW[i]\n", az0, az1);
  expect_drift("let y = A*z\ndx[i] = y[i] dt + dW[i]\n", az0, az1);
  expect_drift("dx = A*z dt + S*dW\n", az0, az1);
  expect_drift("dx = 2*(A*z + b)/4 dt - b dt + S*dW\n", az0 / 2 - 0.05, az1 / 2 - 0.1);
  // C A: [[2, 6, 1], [5, 10, 5], [8, 14, 9]]; its first two rows.
  expect_drift("dx[i] = (C*A*z)[i] dt + dW[i]\n", 2.0 * 1.1 + 6.0 * 0.4 - 0.9,
               5.0 * 1.1 + 10.0 * 0.4 - 5.0 * 0.9);
  expect_drift("dx[i] = (C*A)[i + 1, 2] dt + dW[i]\n", 5.0, 9.0);
}

TEST(Arrays, FunctionsActOnComponents) {
  expect_drift("let y = tanh(A*z + b)\ndx[i] = y[i] dt + dW[i]\n", std::tanh(az0 + 0.1),
               std::tanh(az1 + 0.2));
  expect_drift("dx = -tanh(A*z) dt + S*dW\n", -std::tanh(az0), -std::tanh(az1));
}

TEST(Arrays, RowsOfNoiseNameTheirMotions) {
  for (const char* equations : {"dx = -x dt + S*dW\n", "dx[i] = -x[i] dt + S[i]*dW\n",
                                "dx[i] = -x[i] dt + S[i, 0] dW[0] + S[i, 1] dW[1]\n"}) {
    const Model model = with(equations);
    EXPECT_THAT(model.noise_names(), ElementsAre("W[0]", "W[1]", "V[0]", "V[1]", "V[2]"));
    const Matrix noise = model.noise_matrix(point, 0.0);
    EXPECT_EQ(noise(0, 0), 1.0);
    EXPECT_EQ(noise(0, 1), 0.5);
    EXPECT_EQ(noise(1, 0), 0.25);
    EXPECT_EQ(noise(1, 1), 2.0);
    EXPECT_EQ(model.noise_class(), NoiseClass::full);
  }
  // A vector before one motion: all states share it.
  const Model shared = with("dx = -x dt + b dW + S*dV\n");
  EXPECT_EQ(shared.noise_names().front(), "W");
  EXPECT_EQ(shared.noise_matrix(point, 0.0)(1, 0), 0.2);
}

TEST(Arrays, ValuesBoundsAndTextAgree) {
  const std::string text =
      "model m\n"
      "param A[2, 2] = [[1, -2], [0.5, 4]] in ([[0, -inf], [0, 1]], [[2, 0], [inf, 5]])\n"
      "param b[2] = 1 in ([0, -1], inf) fixed\n"
      "param c = 2\n"
      "state x[2]\n"
      "dx = A*x dt + c*b dt + b dW + (2*A)*dV\n"
      "init x ~ normal(0, 1)\n"
      "time 0 : 0.1 : 1\n";
  const Model model = parse_model(text);
  EXPECT_EQ(parse_model(model.text()).text(), model.text());
  EXPECT_THAT(model.text(), HasSubstr("param A[2, 2] = [[1, -2], [0.5, 4]] in ([[0, -inf], [0, "
                                      "1]], [[2, 0], [inf, 5]])\n"));
  EXPECT_THAT(model.text(), HasSubstr("param b[2] = 1 in ([0, -1], inf) fixed\n"));
  const Parameter& second = model.parameters()[1];
  EXPECT_EQ(second.name, "A[0,1]");
  EXPECT_EQ(second.upper, 0.0);
  EXPECT_EQ(model.parameters()[3].lower, 1.0);
  EXPECT_EQ(model.hash(), parse_model(model.text()).hash());
  EXPECT_THAT(model.parameter_indices("A"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(model.parameter_indices("A[1]"), ElementsAre(2, 3));
  EXPECT_THAT(model.parameter_indices("A[1, 0]"), ElementsAre(2));
  EXPECT_THAT(model.parameter_indices("b[1]"), ElementsAre(5));
  EXPECT_EQ(model.with_value("A[1,0]", 0.75).parameters()[2].value, 0.75);
  for (const char* none : {"A[2,0]", "A[0,2]", "A[0,0,0]", "A[]", "A[00,1]", "A[0,1", "b[0,0]"}) {
    EXPECT_THROW((void)model.parameter_indices(none), Error) << none;
  }
  EXPECT_EQ(test::message_of([&] { (void)model.parameter_indices("A[2,0]"); }),
            "There is no component 'A[2,0]' of the parameter A; its components are A[0,0] to "
            "A[1,1].");
  EXPECT_EQ(test::message_of([&] { (void)model.with_value("A[0,1]", 0.5); }),
            "The parameter A[0,1] = 0.5 is outside its bounds (-inf, 0).");
}

TEST(Arrays, WhatIsBuiltPrintsItsMatrices) {
  ModelBuilder b("m");
  const std::vector<double> values{1.0, 2.0, 3.0, 4.0};
  const std::vector<Range> bounds{{0.0, 5.0}};
  const auto a = b.parameters("A", values, bounds, false, 2);
  const auto x = b.state("x");
  b.drift(x, -a[2] * x);
  b.noise(x, "W", a[1]);
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.1, 1.0);
  const Model model = b.build();
  EXPECT_THAT(model.text(), HasSubstr("param A[2, 2] = [[1, 2], [3, 4]] in (0, 5)\n"));
  EXPECT_THAT(model.text(), HasSubstr("dx = -(A[1,0]*x) dt + A[0,1] dW\n"));
  EXPECT_EQ(parse_model(model.text()).hash(), model.hash());
}

TEST(Arrays, LatexWritesMatrices) {
  const std::string formulas =
      latex(with("dx = A*z dt + S*dW\nobserve y ~ normal(dot(A[0], z), 1)\n"));
  EXPECT_THAT(formulas, HasSubstr("\\mathrm{d}x &= A z \\, \\mathrm{d}t + S \\, \\mathrm{d}W"));
  EXPECT_THAT(formulas, HasSubstr("A_{0} \\cdot z"));
  EXPECT_THAT(formulas, HasSubstr("\\begin{pmatrix} 1 & -2 & 3 \\\\ 0.5 & 4 & -1 \\end{pmatrix}"));
}

TEST(Arrays, ObservablesMayBeProducts) {
  const Model model = with("let y = A*z\ndx = y dt + S*dW\n");
  Graph graph = *model.graph();
  const Expression value = parse_expression("dot(y, b) + A[1, 2]*(S*x)[0]", model, graph);
  EXPECT_NEAR(evaluate(value, model.input_values(point, 0.0)), 0.1 * az0 + 0.2 * az1 - (0.3 - 0.35),
              1e-14);
}

struct Wrong {
  const char* equations;
  const char* sentence;
};

TEST(Arrays, ShapesThatDoNotFitAreNamed) {
  const Wrong all[] = {
      {"dx = A*x dt + S*dW\n",
       "The shapes do not fit: a matrix of 2 x 3 cannot be multiplied by a vector of 2; its rows "
       "have 3 components."},
      {"dx = (A*z + z) dt + S*dW\n",
       "The shapes differ: a vector of 2 and a vector of 3 cannot be "
       "added."},
      {"dx = (b - 1) dt + S*dW\n",
       "The shapes differ: a vector of 2 and a number cannot be "
       "subtracted."},
      {"dx = x*b dt + S*dW\n",
       "The shapes do not fit: a vector of 2 cannot be multiplied by a vector of 2; write dot(a, "
       "b) "
       "for the sum of products of two vectors, or a let with an index."},
      {"dx = x/b dt + S*dW\n",
       "The shapes do not fit: a vector of 2 cannot be divided by a vector of 2, only by a "
       "number."},
      {"dx[i] = dot(b, z) dt + dW[i]\n",
       "dot(a, b) takes two vectors of one length, not a vector of 2 and a vector of 3."},
      {"dx = z dt + S*dW\n",
       "This term of the equation of x is a vector of 3, but a vector of 2 was expected."},
      {"dx = x dt + C*dW\n",
       "This term of the equation of x is a matrix of 3 x 2, but a vector of 2, or a matrix with "
       "as "
       "many rows, was expected."},
      {"dx = S dt + S*dW\n",
       "This term of the equation of x is a matrix of 2 x 2, but a vector of 2 was expected."},
      {"dx[i] = -x[i] dt + S*dW\n",
       "This term of the equation of x is a matrix of 2 x 2, but a number or a vector was "
       "expected."},
      {"dx[i] = A[i] dt + dW[i]\n",
       "A number was expected here, but this is a vector of 3; write its index."},
      {"dx[i] = A dt + dW[i]\n", "A is a matrix of 2 x 3: write A[0, 0] for a component."},
      {"dx[i] = A[i, 3] dt + dW[i]\n", "The index of A is 3 for i = 0, but A has 3 columns."},
      {"dx[i] = A[2, i] dt + dW[i]\n", "The index of A is 2 for i = 0, but A has 2 rows."},
      {"dx[i] = b[i, 0] dt + dW[i]\n", "This index is one too many for a vector of 2."},
      {"dx[i] = (A*z)[2] dt + dW[i]\n", "The index is 2 for i = 0, but it must be from 0 to 1."},
      {"dx[i] = A[0, 0, 0] dt + dW[i]\n", "A matrix has two indices, its row and its column."},
      {"let y = 2*A\ndx[i] = dW[i]\n",
       "A let is a number or a vector, but this is a matrix of 2 x "
       "3."},
      {"param d[2, 2] = [1, 2, 3, 4]\ndx[i] = dW[i]\n",
       "d is a matrix of 2 x 2, but the list has 4 values; a matrix is written by rows, as in [[1, "
       "2], [3, 4]]."},
      {"param d[2] = [[1, 2], [3, 4]]\ndx[i] = dW[i]\n",
       "The list has 2 rows of 2 values, but d is a vector of 2."},
      {"param d[3, 2] = [[1, 2], [3, 4]]\ndx[i] = dW[i]\n",
       "The list has 2 rows of 2 values, but d is a matrix of 3 x 2."},
      {"param d = [[1, 2], [3]]\ndx[i] = dW[i]\n", "This row has 1 values, but the first has 2."},
      {"param d[2] = 1 in ([0, 0, 0], inf)\ndx[i] = dW[i]\n",
       "d has 2 components, but its list of bounds has 3."},
      {"param d[1000, 1000] = 1\ndx[i] = dW[i]\n",
       "d has 1000000 components; the limit is 100000."},
  };
  for (const Wrong& wrong : all) {
    EXPECT_THAT(test::message_of([&] { (void)with(wrong.equations); }), HasSubstr(wrong.sentence))
        << wrong.equations;
  }
}

}  // namespace
}  // namespace divker
