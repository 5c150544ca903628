#include "divker/language.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace divker {
namespace {

using ::testing::HasSubstr;

const std::string head =
    "model m\nparam a = 1\nparam v[3] = [1, 2, 3]\nconst n = 3\nstate x[3], q\n";
const std::string tail = "init x ~ normal(0, 1)\ninit q ~ normal(0, 1)\ntime 0 : 0.1 : 1\n";

const std::string one_state = "model m\nparam a = 1\nstate x\n";
const std::string one_law = "init x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n";

struct Fault {
  std::string name;
  std::string text;
  std::size_t line;
  std::size_t column;
  std::string message;
};

class EveryFault : public ::testing::TestWithParam<Fault> {};

TEST_P(EveryFault, IsReportedWhereItStands) {
  const Fault& fault = GetParam();
  try {
    (void)parse_model(fault.text, "m.sde");
    FAIL() << "no error";
  } catch (const LanguageError& error) {
    EXPECT_EQ(error.line(), fault.line);
    EXPECT_EQ(error.column(), fault.column);
    EXPECT_EQ(error.file(), "m.sde");
    EXPECT_EQ(error.kind(), ErrorKind::model);
    const std::string what = error.what();
    EXPECT_EQ(what.substr(0, what.find("\n  ")), "m.sde:" + std::to_string(fault.line) + ":" +
                                                     std::to_string(fault.column) + ": " +
                                                     fault.message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Faults, EveryFault,
    ::testing::Values(
        Fault{"NoModel", "param a = 1\n", 1, 1,
              "A text begins with the name of the model; 'model NAME' was expected."},
        Fault{"Empty", "# nothing\n", 1, 1,
              "The text holds no statement; 'model NAME' was expected."},
        Fault{"TwoModels", "model a\nmodel b\n", 2, 1,
              "A text holds one model; this one is already called 'a'."},
        Fault{"ModelName", "model 3\n", 1, 7,
              "The name of the model was expected, but '3' was found."},
        Fault{"UnknownStatement", "model m\nparm a = 1\n", 2, 1,
              "There is no statement 'parm'. Did you mean 'param'?"},
        Fault{"NoStatement", "model m\n= 3\n", 2, 1,
              "A statement was expected (model, param, const, state, input, let, init, observe, "
              "path, time or an "
              "equation), but '=' was found."},
        Fault{"WordsOnly", "model m\nhello world\n", 2, 1,
              "A statement was expected (model, param, const, state, input, let, init, observe, "
              "path, time or an "
              "equation), but 'hello' was found."},
        Fault{"ReservedName", "model m\nparam dt = 1\n", 2, 7,
              "'dt' is a word of the language and cannot be declared."},
        Fault{"DeclaredTwice", "model m\nparam a = 1\nstate a\n", 3, 7,
              "'a' is declared twice; line 2 declares it already."},
        Fault{"NameExpected", "model m\nparam = 1\n", 2, 7,
              "The name of a parameter was expected, but '=' was found."},
        Fault{"NumberTooLarge", "model m\nparam a = 1e999\n", 2, 11,
              "The number 1e999 is beyond the range of double precision."},
        Fault{"NumberThenLetter", "model m\nparam a = 2b\n", 2, 12,
              "An operator was expected after the number 2: write 2*... for a product."},
        Fault{"BadCharacter", "model m\nparam a = 1 $ 2\n", 2, 13,
              "The character '$' is not part of the language."},
        Fault{"Lookalike", "model m\nparam a = −1\n", 2, 11,
              "The character '−' is not part of the language; write -."},
        Fault{"Tabs", "model m\nparam	a = b\n", 2, 11,
              "The name 'b' is not declared; the declared names are: a."},
        Fault{"Unclosed", "model m\nparam a = (1 + 2\nstate x\n", 2, 11,
              "This '(' is never closed."},
        Fault{"Mismatch", "model m\nparam a = (1]\n", 2, 13,
              "')' was expected here, to close the '(' of line 2."},
        Fault{"ClosesNothing", "model m\nparam a = 1)\n", 2, 12, "This ')' closes nothing."},
        Fault{"StarStar", "model m\nparam a = 2**3\n", 2, 12, "A power is written ^, not **."},
        Fault{"OpenString", "model m\nstate x\ninit x ~ samples(\"a\n", 3, 18,
              "This string is not closed; a closing \" was expected on the same line."},
        Fault{"MissingEquals", "model m\nparam a 1\n", 2, 9,
              "'=' was expected after the name of the parameter, but '1' was found."},
        Fault{"ListLength", "model m\nparam a[2] = [1, 2, 3]\n", 2, 15,
              "a has 2 components, but the list has 3 values."},
        Fault{"ZeroLength", "model m\nparam a[0] = 1\n", 2, 9,
              "The length of a is 0; it must be from 1 to 100000."},
        Fault{"FractionalLength", "model m\nstate x[1.5]\n", 2, 9,
              "The length of the vector is 1.5; it must be a whole number."},
        Fault{"TooLong", "model m\nstate x[100001]\n", 2, 9,
              "The length of x is 100001; it must be from 1 to 100000."},
        Fault{"OutOfBounds", "model m\nparam a = 1 in (2, 3)\n", 2, 7,
              "The parameter a = 1 is outside its bounds (2, 3)."},
        Fault{"EmptyBounds", "model m\nparam a = 1 in (3, 2)\n", 2, 7,
              "The bounds (3, 2) of the parameter a leave no value between them."},
        Fault{"BoundsForm", "model m\nparam a = 1 in 2, 3\n", 2, 16,
              "'(' was expected after 'in', but '2' was found."},
        Fault{"AfterParameter", "model m\nparam a = 1 free\n", 2, 13,
              "An operator was expected before 'free'; a product is written with *."},
        Fault{"ParameterInParameter", "model m\nparam a = 1\nparam b = a\n", 3, 11,
              "'a' is a parameter; only numbers and constants can be used here."},
        Fault{"ConstLater", "model m\nconst a = b\nconst b = 1\n", 2, 11,
              "'b' is used before the line that defines it."},
        Fault{"PeriodicScalar", "model m\nstate x periodic\n", 2, 9,
              "Only a vector of states can be periodic."},
        Fault{"NoDifferential",
              head + std::string("dx[i] = -x[i] + dW[i]\ndq = -q dt + dV\n") + tail, 6, 9,
              "This term has no differential; close it with dt or with that of a Brownian motion, "
              "such as dW. Parentheses close several terms at once: (a + b) dt."},
        Fault{"NoDifferentialLast",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + a\n") + tail, 7, 12,
              "This term has no differential; close it with dt or with that of a Brownian motion, "
              "such as dW. Parentheses close several terms at once: (a + b) dt."},
        Fault{"TwoDifferentials",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt dV\n") + tail, 7, 12,
              "This term has two differentials, 'dt' and 'dV'; each term has one."},
        Fault{"DifferentialInside",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = (-q dt + dV)\n") + tail, 7, 10,
              "The differential 'dt' stands inside an expression; a differential closes a whole "
              "term, as in (a + b) dt."},
        Fault{"DifferentialOfState",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + a dx\n") + tail, 7, 16,
              "'dx' cannot be a Brownian motion, because 'x' is a state; it needs a name of its "
              "own, such as dW."},
        Fault{"AfterDifferential",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt*2 + dV\n") + tail, 7, 11,
              "'dt' closes its term; '+', '-' or the end of the line was expected, but '*' was "
              "found."},
        Fault{"DividedByDifferential",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + a/dV\n") + tail, 7, 16,
              "A term cannot be divided by 'dV'."},
        Fault{"Juxtaposed",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -a q dt + dV\n") + tail, 7, 9,
              "An operator was expected before 'q'; a product is written with *."},
        Fault{"Misspelt",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -alpha*q dt + dV\n") + tail, 7, 7,
              "The name 'alpha' is not declared; the declared names are: a, n, q, v and x."},
        Fault{
            "MisspeltNear",
            head +
                std::string("param damping = 1\ndx[i] = -x[i] dt + dW[i]\ndq = -damp*q dt + dV\n") +
                tail,
            8, 11,
            "'damp' closes its term; '+', '-' or the end of the line was expected, but '*' was "
            "found. ('damp' is not declared, and an undeclared name that begins with d is a "
            "differential.)"},
        Fault{"UnknownFunction",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -sinn(q) dt + dV\n") + tail, 7, 7,
              "There is no function 'sinn'. Did you mean 'sin'?"},
        Fault{"ArgumentCount",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = pow(q) dt + dV\n") + tail, 7, 6,
              "pow takes 2 arguments, not 1."},
        Fault{"FunctionName",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = sin*q dt + dV\n") + tail, 7, 6,
              "'sin' is a function; '(' was expected after it."},
        Fault{"InfInside",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = inf*q dt + dV\n") + tail, 7, 6,
              "'inf' can only be a bound of a parameter."},
        Fault{
            "VectorAlone", head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -x dt + dV\n") + tail,
            7, 7,
            "x is a vector of 3: write x[0] for a component or sum(i, 0:2, x[i]) for all of them."},
        Fault{"ScalarIndexed",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q[0] dt + dV\n") + tail, 7, 7,
              "'q' is not a vector and has no components."},
        Fault{"IndexRange",
              head + std::string("dx[i] = x[i+1] dt + dW[i]\ndq = -q dt + dV\n") + tail, 6, 11,
              "The index of x is 3 for i = 2, but x has 3 components, x[0] to x[2], and is not "
              "periodic."},
        Fault{"IndexFraction",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = x[0.5] dt + dV\n") + tail, 7, 8,
              "The index is 0.5; it must be a whole number."},
        Fault{"IndexOfState",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = x[q] dt + dV\n") + tail, 7, 8,
              "The index must be made of whole numbers, constants and indices with +, -, * and /."},
        Fault{"TwoIndices",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = x[0, 1] dt + dV\n") + tail, 7, 9,
              "Vectors have one index; write ] instead of the comma."},
        Fault{"IndexDeclared",
              head + std::string("dx[a] = -x[0] dt + dW\ndq = -q dt + dV\n") + tail, 6, 4,
              "'a' is a parameter; a free index needs a name of its own."},
        Fault{"IndexShadowed",
              head + std::string("dx[i] = sum(i, 0:2, x[i]) dt + dW[i]\ndq = -q dt + dV\n") + tail,
              6, 13, "'i' is already the index of an enclosing sum or equation."},
        Fault{"IndexReserved",
              head + std::string("dx[t] = -x[0] dt + dW\ndq = -q dt + dV\n") + tail, 6, 4,
              "'t' is a word of the language and cannot be an index."},
        Fault{
            "SumForm",
            head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = sum(x[0], 0:2) dt + dV\n") + tail, 7,
            10,
            "The index of the sum and a comma were expected; a sum is written sum(j, 0:9, x[j])."},
        Fault{"SumColon",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = sum(j, 0, 2, x[j]) dt + dV\n") +
                  tail,
              7, 14,
              "':' was expected between the bounds of the sum, but ',' was found; a sum is written "
              "sum(j, 0:9, x[j])."},
        Fault{
            "SumBackwards",
            head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = sum(j, 2:0, x[j]) dt + dV\n") + tail,
            7, 13, "The sum goes from 2 down to 0; the first index comes first."},
        Fault{"SumComma",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = sum(j, 0:2) dt + dV\n") + tail, 7,
              16,
              "',' was expected after the bounds of the sum, but ')' was found; a sum is written "
              "sum(j, 0:9, x[j])."},
        Fault{"NoiseIndexNegative",
              head + std::string("dx[i] = -x[i] dt + dW[i-1]\ndq = -q dt + dV\n") + tail, 6, 23,
              "The index of dW is -1; it must not be negative."},
        Fault{"DivisionByZero",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = q/(1 - 1) dt + dV\n") + tail, 7, 9,
              "This divisor is zero."},
        Fault{"NotFinite",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = q*log(0) dt + dV\n") + tail, 7, 8,
              "The value of this expression is -inf; it must be finite."},
        Fault{"EquationTwice",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ndq = -q dt + dV\n") +
                  tail,
              8, 1, "This is given twice; line 7 gives it already."},
        Fault{
            "ComponentTwice",
            head +
                std::string("dx[i] = -x[i] dt + dW[i]\ndx[0] = dW\ndx[0] = dW\ndq = -q dt + dV\n") +
                tail,
            8, 1, "This is given twice; line 7 gives it already."},
        Fault{"ComponentRange",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndx[3] = dW\ndq = -q dt + dV\n") + tail,
              7, 4, "The index of x is 3, but x has 3 components, x[0] to x[2]."},
        Fault{"VectorEquation", head + std::string("dx = dW\ndq = -q dt + dV\n") + tail, 6, 1,
              "x is a vector of 3; write an equation with a free index, x[i], or one for each "
              "component."},
        Fault{"ScalarEquation", head + std::string("dx[i] = -x[i] dt + dW[i]\ndq[i] = dV\n") + tail,
              7, 1, "'q' is not a vector; leave out the index."},
        Fault{"MissingEquation", head + std::string("dx[0] = dW\ndq = -q dt + dV\n") + tail, 5, 7,
              "The state x[1] has no equation; dx[1] = ... was expected."},
        Fault{"NoSuchState", head + std::string("dx[i] = -x[i] dt + dW[i]\ndp = dV\n") + tail, 7, 1,
              "'p' is not a state of this model; its states are: q and x."},
        Fault{
            "StateWithoutD", head + std::string("dx[i] = -x[i] dt + dW[i]\nq = dV\n") + tail, 7, 1,
            "An equation for the state q is written dq = ... dt + ... dW, or q' = ... for a map."},
        Fault{"MixedMap", head + std::string("dx[i] = -x[i] dt + dW[i]\nq' = q + xi\n") + tail, 6,
              1,
              "This model is a map because another equation has the form x' = ...; differentials "
              "cannot be mixed with it."},
        Fault{"MapNoiseInside", "model m\nstate q\nq' = sin(q + xi)\ninit q = 0\ntime 0 : 1 : 5\n",
              3, 14,
              "The noise 'xi' stands inside an expression; it must be a factor of a term, as in "
              "s*xi."},
        Fault{"MapTwoNoises", "model m\nstate q\nq' = q + xi*xi2\ninit q = 0\ntime 0 : 1 : 5\n", 3,
              13, "This term has two noises, 'xi' and 'xi2'; each term has one."},
        Fault{"MapStep", "model m\nstate q\nq' = q + xi\ninit q = 0\ntime 0 : 0.5 : 5\n", 5, 1,
              "The model m is a map: its time step is 1, not 0.5."},
        Fault{"LetOrder",
              head +
                  std::string("let u = w\nlet w = 1\ndx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\n") +
                  tail,
              6, 9, "'w' is used before the line that defines it."},
        Fault{
            "LetRange",
            head + std::string("let u[i] = i\ndx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\n") + tail,
            6, 5,
            "The range of i is not clear, because no vector is indexed by it; state the range as "
            "in let u[i, 0:9] = ..."},
        Fault{"LetRangeAmbiguous",
              head +
                  std::string("param b[2] = 1\nlet u[i] = b[i]*x[i]\ndx[i] = -x[i] dt + dW[i]\ndq "
                              "= -q dt + dV\n") +
                  tail,
              7, 17,
              "The range of i is not clear: b has 2 components, x has 3; state the range as in let "
              "y[i, 0:9] = ..."},
        Fault{"LetRangeStart",
              head + std::string("let u[i, 1:2] = i\ndx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\n") +
                  tail,
              6, 10, "The range of i is 1:2; it must begin at 0 and have from 1 to 100000 values."},
        Fault{
            "LetLiteral",
            head + std::string("let u[0] = 1\ndx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\n") + tail,
            6, 5,
            "A vector is defined with a free index, let u[i] = ..., or as a list, let u = [...]."},
        Fault{"NoiseInLet",
              head + std::string("let u = dW\ndx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\n") + tail,
              6, 9, "The name 'dW' is not declared; the declared names are: a, n, q, u, v and x."},
        Fault{
            "NoLaw",
            head + std::string(
                       "dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit x = 0\ntime 0 : 0.1 : 1\n"),
            5, 13,
            "The state q has no initial law; init q ~ normal(0, 1) or the like was expected."},
        Fault{"LawTwice",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit q = 0\n") + tail,
              10, 1, "This is given twice; line 8 gives it already."},
        Fault{"LawName",
              head +
                  std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit q ~ gauss(0, 1)\n") +
                  tail,
              8, 10, "A law was expected (normal, lognormal or samples), but 'gauss' was found."},
        Fault{"LawNear",
              head +
                  std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit q ~ norml(0, 1)\n") +
                  tail,
              8, 10,
              "A law was expected (normal, lognormal or samples), but 'norml' was found. Did you "
              "mean 'normal'?"},
        Fault{
            "LawForm",
            head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit q normal(0, 1)\n"),
            8, 8, "'~' and a law, or '=' and a value, was expected, but 'normal' was found."},
        Fault{"LawOfState",
              head + std::string(
                         "dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit q ~ normal(x[0], 1)\n"),
              8, 17, "'x' is a state; initial laws are made of parameters and constants."},
        Fault{"LawOfTime",
              head +
                  std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit q ~ normal(t, 1)\n"),
              8, 17, "Time t cannot be used here."},
        Fault{
            "SamplesFile",
            head + std::string(
                       "dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit state ~ samples(start)\n"),
            8, 22,
            "The name of a file in double quotes was expected, as in samples(\"start.npy\")."},
        Fault{"LawNoState",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit p = 0\n"), 8, 6,
              "'p' is not a state of this model; its states are: q and x."},
        Fault{"NoTime",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit state = 0\n"), 9,
              1, "The model has no time grid; time 0 : 0.01 : 1 or the like was expected."},
        Fault{"TimeTwice",
              head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit x ~ normal(0, "
                                 "1)\ninit q ~ normal(0, 1)\ntime 0 : 0.1 : 1\ntime 0 : 1 : 2\n"),
              11, 1, "This is given twice; line 10 gives it already."},
        Fault{
            "TimeForm",
            head + std::string(
                       "dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit state = 0\ntime 0, 1, 2\n"),
            9, 7,
            "':' was expected, but ',' was found; a time grid is written time start : step : end."},
        Fault{
            "TimeWhole",
            head + std::string("dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit state = 0\ntime 0 "
                               ": 0.3 : 1\n"),
            9, 1,
            "The time from 0 to 1 is 3.33333333 steps of 0.3; it must be a whole number of steps."},
        Fault{
            "TimeParameter",
            head +
                std::string(
                    "dx[i] = -x[i] dt + dW[i]\ndq = -q dt + dV\ninit state = 0\ntime 0 : a : 1\n"),
            9, 10, "'a' is a parameter; only numbers and constants can be used here."},
        Fault{"Equality", one_state + "dx = (if(x == 0, 1, 2)) dt + dW\n" + one_law, 4, 12,
              "A path is never equal to a number: write <, <=, > or >=. '==' compares numbers, "
              "constants and indices."},
        Fault{"Inequality", one_state + "dx = (if(x - a != 0, 1, 2)) dt + dW\n" + one_law, 4, 16,
              "A path is never equal to a number: write <, <=, > or >=. '!=' compares numbers, "
              "constants and indices."},
        Fault{"Assignment", one_state + "dx = (if(x = 0, 1, 2)) dt + dW\n" + one_law, 4, 12,
              "'if' takes a comparison: <, <=, > or >=, not =."},
        Fault{"ChainOfComparisons", one_state + "dx = (if(0 < x < 1, 1, 2)) dt + dW\n" + one_law, 4,
              16, "Two comparisons are joined by 'and', as in 0 < x and x < 1."},
        Fault{"ComparisonAsNumber", one_state + "dx = (2*(x > 0)) dt + dW\n" + one_law, 4, 12,
              "A comparison is no number; it is the condition of an if, as in if(x > 0, 1, 0)."},
        Fault{"ConjunctionAsNumber", one_state + "dx = (2 + (x > 0 and x < 1)) dt + dW\n" + one_law,
              4, 14,
              "A comparison is no number; it is the condition of an if, as in if(x > 0, 1, 0)."},
        Fault{"NumberAsCondition", one_state + "dx = (if(x, 1, 2)) dt + dW\n" + one_law, 4, 10,
              "A condition was expected here: a comparison, such as x > 0, or several with and, "
              "or, not."},
        Fault{"NumberInConjunction", one_state + "dx = (if(x > 0 and a, 1, 2)) dt + dW\n" + one_law,
              4, 20,
              "A condition was expected here: a comparison, such as x > 0, or several with and, "
              "or, not."},
        Fault{"ConditionInComparison",
              one_state + "dx = (if((x > 0) > 0, 1, 2)) dt + dW\n" + one_law, 4, 13,
              "A comparison is no number; it is the condition of an if, as in if(x > 0, 1, 0)."},
        Fault{"IfNeedsThree", one_state + "dx = (if(x > 0, 1)) dt + dW\n" + one_law, 4, 7,
              "if takes 3 arguments, not 2."},
        Fault{"SingleAmpersand", one_state + "dx = (if(x > 0 & x < 1, 1, 2)) dt + dW\n" + one_law,
              4, 16, "The character '&' is not part of the language; write and."},
        Fault{"SingleBar", one_state + "dx = (if(x > 0 | x < 1, 1, 2)) dt + dW\n" + one_law, 4, 16,
              "The character '|' is not part of the language; write or."},
        Fault{"NothingAfterNot", one_state + "dx = (if(not, 1, 2)) dt + dW\n" + one_law, 4, 13,
              "An expression was expected, but ',' was found."},
        Fault{"RoundOfTwo", one_state + "dx = (mod(x)) dt + dW\n" + one_law, 4, 7,
              "mod takes 2 arguments, not 1."},
        Fault{"BareComparison", one_state + "dx = a > x dt + dW\n" + one_law, 4, 8,
              "A comparison is no number; it is the condition of an if, as in if(x > 0, 1, 0)."},
        Fault{"ConditionAsName", "model m\nparam and = 1\n", 2, 7,
              "'and' is a word of the language and cannot be declared."},
        Fault{"NotEqualSign", one_state + "dx = if(x \u2265 0, 1, 2) dt + dW\n" + one_law, 4, 11,
              "The character '\u2265' is not part of the language; write >=."},
        Fault{"EndOfLine", "model m n\n", 1, 9,
              "The end of the line was expected, but 'n' was found."}),
    [](const auto& tested) { return tested.param.name; });

std::string message_of(const std::string& text, const LanguageLimits& limits = {}) {
  try {
    (void)parse_model(text, "m.sde", limits);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LanguageTest, MessagesShowTheLineWithACaret) {
  EXPECT_EQ(message_of("model m\nstate x # \xC3\xA4\r\n\tdy = -x dt\n"),
            "m.sde:3:2: 'y' is not a state of this model; its states are: x.\n"
            "   dy = -x dt\n"
            "   ^");
  // Characters, not bytes, are counted.
  EXPECT_THAT(message_of("model m\ninit \"\xC3\xA4\xC3\xB6\" = 1\n"), HasSubstr("m.sde:2:6"));
}

TEST(LanguageTest, LongLinesAreCut) {
  const std::string message = message_of("model m # " + std::string(5000, 'x') +
                                         "\nparam a = " + std::string(3000, ' ') + "$\n");
  EXPECT_LT(message.size(), 600U);
  EXPECT_THAT(message, HasSubstr("m.sde:2:3011"));
}

double drift_at(const Model& m, std::size_t row, const std::vector<double>& x, double t = 0.0) {
  return evaluate(*m.graph(), m.drift(), m.input_values(x, t))[row];
}

Model with_drift(const std::string& expression) {
  return parse_model(
      "model m\nparam a = 2\nparam v[3] = [1, 2, 3]\nconst n = 3\nconst w[2] = [5, 7]\n"
      "state x, y[3] periodic\ndx = (" +
      expression + ") dt + dW\ndy[i] = dV[i]\ninit state ~ normal(1, 1)\ntime 0 : 0.1 : 1\n");
}

TEST(LanguageTest, ExpressionsMeanWhatMathematicsMeans) {
  const std::vector<double> x{3.0, 10.0, 20.0, 30.0};
  const std::map<std::string, double> values{
      {"-x^2", -9.0},
      {"2^-1", 0.5},
      {"2^3^2", 512.0},
      {"a - 1 - 1", 0.0},
      {"12/2/3", 2.0},
      {"2*x/a", 3.0},
      {"--x", 3.0},
      {"+x", 3.0},
      {"-(x - 1)*2", -4.0},
      {"1.5e1 + .5", 15.5},
      {"sum(j, 0:2, v[j]*y[j])", 140.0},
      {"sum(j, 0:2, sum(k, 0:j, v[k]))", 10.0},
      {"sum(j, 0:-1, x)", 0.0},
      {"sum(j, 1:n, j^2)", 14.0},
      {"y[-1] + y[3]", 40.0},
      {"y[2*n/3 - 1]", 20.0},
      {"w[0] + w[1]", 12.0},
      {"min(x, a) + max(x, a)", 5.0},
      {"pow(a, 3)", 8.0},
      {"abs(-x) + sign(x) + step(x, a)", 5.0},
      {"cos(pi)", -1.0},
      {"exp(log(x))", 3.0},
      {"sqrt(x^2 + 16)", 5.0},
      {"tanh(0) + sinh(0) + cosh(0) + atan(0) + erf(0) + tan(0) + sin(0)", 1.0},
      {"erfc(0) + expm1(log1p(x)) + asinh(0)", 4.0},
      {"(x +\n 1)", 4.0},
      {"1 - 2 + 3 - 4 + 5 - 6 + 7 - 8 + 9 - 10 + x", -2.0},
      {"t + x", 3.5},
  };
  for (const auto& [text, value] : values) {
    EXPECT_NEAR(drift_at(with_drift(text), 0, x, 0.5), value, 1e-12) << text;
  }
}

TEST(LanguageTest, ConditionsDecide) {
  const std::map<std::string, double> at_three{
      {"if(x > 2, 10, 20)", 10.0},
      {"if(x > 3, 10, 20)", 20.0},
      {"if(x >= 3, 10, 20)", 10.0},
      {"if(x < 3, 10, 20)", 20.0},
      {"if(x <= 3, 10, 20)", 10.0},
      {"if(x < -1 + a*3, 10, 20)", 10.0},
      {"if(x > 2 and x < 4, 10, 20)", 10.0},
      {"if(x > 2 && x < 3, 10, 20)", 20.0},
      {"if(x > 5 or x < 4, 10, 20)", 10.0},
      {"if(x > 5 || x < 2, 10, 20)", 20.0},
      {"if(not x > 5, 10, 20)", 10.0},
      {"if(!(x > 2), 10, 20)", 20.0},
      {"if(not (x > 2 and a > 5), 10, 20)", 10.0},
      {"if(x > 5 and x > 1 or a > 1, 10, 20)", 10.0},
      {"if(x > 5 and (x > 1 or a > 1), 10, 20)", 20.0},
      {"if(((x > 2)), (10), 20)", 10.0},
      {"if((x + 1)*2 > 7, 10, 20)", 10.0},
      {"if(x > 5, 10, if(x > 2, 15, 20))", 15.0},
      {"2*if(x > 2, x, 0) + 1", 7.0},
      {"if(t > 0.4, 10, 20)", 10.0},
      {"if(x > 5, log(x - 5), sqrt(x + 1))", 2.0},
      {"if(x < 5, sqrt(x + 1), log(x - 5))", 2.0},
      {"where(x - 2, 7)", 7.0},
      {"where(x - 3, log(x - 5))", 0.0},
  };
  const std::vector<double> x{3.0, 10.0, 20.0, 30.0};
  for (const auto& [text, value] : at_three) {
    EXPECT_DOUBLE_EQ(drift_at(with_drift(text), 0, x, 0.5), value) << text;
  }
}

// What is decided already leaves nothing of the other side, whatever is wrong with it.
TEST(LanguageTest, ConditionsOfNumbersAndIndices) {
  const std::vector<double> x{3.0, 10.0, 20.0, 30.0};
  const std::map<std::string, double> values{
      {"if(n == 3, 1, 1/(n - 3))", 1.0},
      {"sum(j, 0:2, if(j != 1, y[j], 0))", 40.0},
      {"sum(j, 0:2, if(j < 1, w[j], 0))", 5.0},
      {"if(n > 2 or x > 0, 4, 5)", 4.0},
  };
  for (const auto& [text, value] : values) {
    const Model m = with_drift(text);
    EXPECT_DOUBLE_EQ(drift_at(m, 0, x), value) << text;
    const NodeId root = m.drift()[0];
    for (const NodeId id : reachable(*m.graph(), {&root, 1})) {
      EXPECT_NE(m.graph()->node(id).op, Op::where) << text;
    }
  }
}

TEST(LanguageTest, WholeNumbers) {
  const std::map<std::string, std::vector<double>> at{{"floor(x)", {-3.0, -2.0, 2.0}},
                                                      {"ceil(x)", {-2.0, -2.0, 3.0}},
                                                      {"round(x)", {-2.0, -2.0, 3.0}},
                                                      {"mod(x, 2)", {1.5, 0.0, 0.75}},
                                                      {"mod(x, -2)", {-0.5, 0.0, -1.25}}};
  for (const auto& [text, wanted] : at) {
    const std::vector<double> points{-2.5, -2.0, 2.75};
    for (std::size_t i = 0; i < points.size(); ++i) {
      EXPECT_DOUBLE_EQ(drift_at(with_drift(text), 0, {points[i], 0.0, 0.0, 0.0}), wanted[i])
          << text;
    }
  }
}

TEST(LanguageTest, RegimesAreReadBack) {
  const Model m = with_drift(
      "if( x>0 and!(y[0]<=-1)or not(x>-2&&t>=1) , floor( x ) ,mod(x,2))+where(x,sqrt(x))");
  EXPECT_THAT(m.text(), HasSubstr("dx = (if(x > 0 and !(y[0] <= -1) or not (x > -2 && t >= 1), "
                                  "floor(x), mod(x, 2)) + where(x, sqrt(x))) dt + dW"));
  EXPECT_EQ(parse_model(m.text()).hash(), m.hash());
  EXPECT_EQ(parse_model(m.text()).text(), m.text());

  ModelBuilder b("built");
  const Expression x = b.state("x");
  const Expression inside = both(exceeds(x, x * x), negated(exceeds(x, sin(x))));
  b.drift(x, choose(inside, floor(x), where(x, sqrt(x))));
  b.noise(x, "W", b.graph().constant(1.0));
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.1, 1.0);
  const Model built = b.build();
  EXPECT_EQ(parse_model(built.text()).hash(), built.hash()) << built.text();
}

TEST(LanguageTest, LiteralEquationsTakePrecedence) {
  const Model m = parse_model(
      "model m\nconst n = 4\nstate x[n]\n"
      "dx[i] = (x[i+1] - i*x[i]) dt + dW[i]\ndx[n-1] = -x[0] dt + 2 dW[3]\n"
      "init x[i] ~ normal(i, 1)\ninit x[2] = 7\ntime 0 : 0.1 : 1\n");
  const std::vector<double> x{1.0, 2.0, 3.0, 4.0};
  EXPECT_DOUBLE_EQ(drift_at(m, 1, x), 1.0);
  EXPECT_DOUBLE_EQ(drift_at(m, 3, x), -1.0);
  EXPECT_EQ(m.initial_mean(), (std::vector<double>{0.0, 1.0, 7.0, 3.0}));
  EXPECT_EQ(m.initial()[2].kind, InitialKind::point);
}

TEST(LanguageTest, TermsAndDifferentials) {
  const Model m = parse_model(
      "model m\nparam a = 2\nstate x, y\n"
      "dx = dt - a*x dt + (a + x) dt + 0.5*dW - dV - a dW\n"
      "dy = -a*dU\n"
      "init state ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  const std::vector<double> x{3.0, 0.0};
  EXPECT_DOUBLE_EQ(drift_at(m, 0, x), 0.0);
  EXPECT_EQ(m.noise_names(), (std::vector<std::string>{"W", "V", "U"}));
  EXPECT_EQ(m.noise_matrix(x, 0.0).data, (std::vector<double>{-1.5, -1, 0, 0, 0, -2}));
}

TEST(LanguageTest, Maps) {
  const Model m = parse_model(
      "model m\nparam r = 1.5\nstate x[2] periodic, y\n"
      "x[i]' = r*x[i]*(1 - x[i-1]) - xi[i]/2\ny' = y/2 + x[0]*xi_y*2\n"
      "init state ~ normal(1, 1)\ntime 0 : 1 : 20\n");
  const std::vector<double> x{0.5, 0.25, 2.0};
  EXPECT_EQ(m.dynamics(), Dynamics::map);
  EXPECT_DOUBLE_EQ(drift_at(m, 1, x), 0.1875);
  EXPECT_DOUBLE_EQ(drift_at(m, 2, x), 1.0);
  EXPECT_EQ(m.noise_matrix(x, 0.0).data, (std::vector<double>{-0.5, 0, 0, 0, -0.5, 0, 0, 0, 1.0}));
  EXPECT_EQ(m.noise_names(), (std::vector<std::string>{"xi[0]", "xi[1]", "xi_y"}));
}

TEST(LanguageTest, Lets) {
  const Model m = parse_model(
      "model m\nparam b[2] = [3, 4]\nstate x, y\nlet p = [x*b[0], y*b[1]]\n"
      "let q[i] = p[i] + i\nlet r[k, 0:2] = x^k\n"
      "dx = (q[0] + r[2]) dt + dW\ndy = q[1] dt + dV\ninit state ~ normal(0, 1)\ntime 0 : 0.1 : "
      "1\n");
  const std::vector<double> x{2.0, 5.0};
  EXPECT_DOUBLE_EQ(drift_at(m, 0, x), 10.0);
  EXPECT_DOUBLE_EQ(drift_at(m, 1, x), 21.0);
  EXPECT_EQ(m.lets().at("r").size(), 3U);
}

TEST(LanguageTest, TextIsCanonicalAndHoldsTheCurrentValues) {
  const Model m = parse_model(
      "# A header.\r\n# Two lines.\r\nmodel   m  # name\n\nparam a=1 in(0,inf)\n"
      "param v[3] = 1 fixed\nconst c=1e-2\nstate x [ 3 ]  periodic,y\nlet u=-x[ 0 ]*( y+c )^2\n"
      "dx[i]=( -x[ i + 1 ]\n -u )dt+a*v[i]*dW[ i ]\ndy=- -y dt+sum( j,0:2 , x[j] )dt+dV\n"
      "init x[i]~normal( -i,a )\ninit y=-1\ntime 0:.1:1\n");
  EXPECT_EQ(m.with_value("v[1]", 0.5).with_value("T", 2.0).text(),
            "# A header.\n# Two lines.\nmodel m\nparam a = 1 in (0, inf)\n"
            "param v[3] = [1, 0.5, 1] fixed\nconst c = 1e-2\nstate x[3] periodic, y\n"
            "let u = -x[0]*(y + c)^2\ndx[i] = (-x[i+1] - u) dt + a*v[i]*dW[i]\n"
            "dy = --y dt + sum(j, 0:2, x[j]) dt + dV\ninit x[i] ~ normal(-i, a)\ninit y = -1\n"
            "time 0 : 0.1 : 2\n");
}

TEST(LanguageTest, BadTextsDoNotExhaustTheMachine) {
  const std::string deep = message_of("model m\nparam a = " + std::string(1000, '(') + "1" +
                                      std::string(1000, ')') + "\n");
  EXPECT_THAT(deep, HasSubstr("nested more than 200 deep"));
  EXPECT_THAT(message_of("model m\nparam a = " + std::string(100'000, '-') + "1\n"),
              HasSubstr("nested more than 200 deep"));
  EXPECT_THAT(message_of("model m\nparam a = 1" + std::string(400'000, '^') + "\n"),
              HasSubstr("An expression was expected"));
  EXPECT_THAT(message_of(std::string((1U << 20U) + 1, '#')),
              HasSubstr("The text has 1048577 bytes; the limit is 1048576."));
  const std::string sums =
      head + "dx[i] = dW[i]\ndq = sum(i, 0:99999, sum(j, 0:99999, q)) dt + dV\n" + tail;
  EXPECT_THAT(message_of(sums, {1U << 20U, 200, 100'000, 20'000}),
              HasSubstr("written out they come to more than 20000 operations"));
  std::string chain = "model m\nparam a = 1";
  for (int i = 0; i < 100'000; ++i) chain += "+1";
  EXPECT_THAT(message_of(chain + "\n"), HasSubstr("no time grid"));
}

TEST(LanguageTest, ObservablesAreParsedOverAModel) {
  const Model m = load_model("lorenz96");
  Graph graph = *m.graph();
  std::vector<double> x(40, 0.5);
  const auto value = [&](const std::string& text) {
    return evaluate(parse_expression(text, m, graph), m.input_values(x, 0.25));
  };
  EXPECT_NEAR(value("sum(i, 0:39, x[i]^2)/40"), 0.25, 1e-12);
  EXPECT_NEAR(value("x[-1] + F + t"), 8.75, 1e-12);
  EXPECT_NEAR(value("sigma"), std::exp(-5.0) + 1.0, 1e-12);
  const auto message = [&](const std::string& text) {
    try {
      (void)parse_expression(text, m, graph);
    } catch (const LanguageError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message("1 + x^2"),
            "expression:1:5: x is a vector of 40: write x[0] for a component or sum(i, 0:39, x[i]) "
            "for all of them.\n  1 + x^2\n      ^");
  EXPECT_THAT(message("x[i]"), HasSubstr("'i' is not declared"));
  EXPECT_THAT(message("x[0] x[1]"), HasSubstr("An operator was expected"));
  EXPECT_THAT(message(""), HasSubstr("An expression was expected"));
  EXPECT_THAT(message("x[0], 1"), HasSubstr("the end of the expression was expected"));
  Graph empty;
  EXPECT_THROW((void)parse_expression("x[0]", m, empty), Error);
}

TEST(ShippedModels, AreOfTheirClassAndRoundTrip) {
  const std::map<std::string, NoiseClass> expected{{"bumpy", NoiseClass::scalar},
                                                   {"cir", NoiseClass::scalar},
                                                   {"double_well", NoiseClass::scalar},
                                                   {"energy_balance", NoiseClass::scalar},
                                                   {"fitzhugh_nagumo", NoiseClass::diagonal},
                                                   {"gbm", NoiseClass::full},
                                                   {"heston", NoiseClass::full},
                                                   {"kuramoto", NoiseClass::scalar},
                                                   {"market_gbm", NoiseClass::full},
                                                   {"market_volatility", NoiseClass::full},
                                                   {"langevin", NoiseClass::degenerate},
                                                   {"logistic", NoiseClass::scalar},
                                                   {"lorenz63", NoiseClass::scalar},
                                                   {"lorenz96", NoiseClass::scalar},
                                                   {"closure96", NoiseClass::scalar},
                                                   {"net_2d", NoiseClass::scalar},
                                                   {"lotka_volterra", NoiseClass::diagonal},
                                                   {"logistic_growth", NoiseClass::scalar},
                                                   {"gompertz_growth", NoiseClass::scalar},
                                                   {"old_faithful", NoiseClass::scalar},
                                                   {"ring", NoiseClass::diagonal},
                                                   {"ou", NoiseClass::scalar},
                                                   {"ou_coupled", NoiseClass::diagonal},
                                                   {"quintic", NoiseClass::scalar},
                                                   {"student", NoiseClass::scalar},
                                                   {"three_halves", NoiseClass::scalar},
                                                   {"barrier", NoiseClass::scalar},
                                                   {"random_network", NoiseClass::scalar},
                                                   {"tent", NoiseClass::scalar}};
  std::map<std::string, NoiseClass> found;
  for (const ShippedModel& shipped : shipped_models()) {
    SCOPED_TRACE(shipped.name);
    EXPECT_GT(shipped.summary.size(), 20U);
    const Model m = load_model(shipped.name);
    EXPECT_EQ(m.name(), shipped.name);
    found[shipped.name] = m.noise_class();
    const Model again = parse_model(m.text());
    EXPECT_EQ(again.hash(), m.hash());
    EXPECT_EQ(again.text(), m.text());
    EXPECT_EQ(again.parameter_values(), m.parameter_values());
  }
  EXPECT_EQ(found, expected);
}

std::string load_message(const std::string& name) {
  try {
    (void)load_model(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
  return "no error";
}

TEST(ShippedModels, FilesAtFaultAreNamed) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / "divker_models";
  std::filesystem::create_directories(folder);
  const auto file = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
    return (folder / name).string();
  };
  EXPECT_THAT(load_message("lorenz69"), HasSubstr("Did you mean 'lorenz63'?"));
  EXPECT_THAT(load_message("nowhere.sde"), HasSubstr("There is no model file 'nowhere.sde'"));
  EXPECT_THAT(load_message(""), HasSubstr("There is no model file ''"));
  EXPECT_THAT(load_message(folder.string()), HasSubstr("is a directory"));
  EXPECT_THAT(load_message(file("empty.sde", "")), HasSubstr("is empty"));
  EXPECT_THAT(load_message(file("binary.sde", std::string(10, '\0'))), HasSubstr("is not a text"));
  EXPECT_THAT(load_message(file("large.sde", std::string(2'000'000, '#'))),
              HasSubstr("is too large; the limit is 1048576 bytes"));
  EXPECT_THAT(load_message(file("bad.sde", "model m\nstate\n")), HasSubstr("bad.sde:2:6: "));
  EXPECT_EQ(load_model(file("good.sde", load_model("ou").text())).hash(), load_model("ou").hash());
  std::filesystem::remove_all(folder);
}

// Stratonovich's drift, written out by hand: equal values at a point, with Ito and Stratonovich
// terms of one motion, and motions with indices.
TEST(Language, StratonovichNoise) {
  const auto drift_of = [](const std::string& equations) {
    const Model m = parse_model("model m\nparam s = 0.7\nparam r = 0.3\nstate x, y\n" + equations +
                                "\ninit state ~ normal(1, 0.1)\ntime 0 : 0.1 : 1\n");
    EXPECT_EQ(parse_model(m.text()).hash(), m.hash());
    return evaluate(*m.graph(), m.drift(), m.input_values(std::vector<double>{1.3, -0.4}, 0.0));
  };
  const auto expect_same = [&](const std::string& stratonovich, const std::string& ito) {
    const std::vector<double> a = drift_of(stratonovich), b = drift_of(ito);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(a[i], b[i], 1e-14) << stratonovich;
  };
  expect_same("dx = -x dt + s*x o dW\ndy = -y dt + dV",
              "dx = (-x + s^2*x/2) dt + s*x dW\ndy = -y dt + dV");
  // A rotation by noise: y moves with -x, so that both are damped.
  expect_same("dx = -s*y o dW\ndy = s*x o dW",
              "dx = -s^2*x/2 dt - s*y dW\ndy = -s^2*y/2 dt + s*x dW");
  // One motion, Ito's in y and Stratonovich's in x.
  expect_same("dx = x*y o dW[1] + r dW[0]\ndy = -y dt + r*x dW[1]",
              "dx = (y*x*y + x*r*x)/2 dt + x*y dW[1] + r dW[0]\ndy = -y dt + r*x dW[1]");
  EXPECT_THROW((void)drift_of("dx = -x o dt + s dW\ndy = -y dt + dV"), LanguageError);
}

}  // namespace
}  // namespace divker
