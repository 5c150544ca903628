#include "language/networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/names.hpp"

namespace divker {
namespace {

const std::string network_form = "; a network is written net h(x, t) = tanh 32, tanh 32, linear 2";

void parse_argument(ExpressionParser& in, Statement& s) {
  const Token& token = in.take();
  if (token.kind != TokenKind::identifier) {
    in.fail(token, fmt::format("The name of an argument was expected, but {} was found{}.",
                               ExpressionParser::shown(token), network_form));
  }
  Declarator argument{std::string(token.text), token.offset, {}, false, false, {}, {}, {}};
  if (in.accept("[")) argument.size = in.index();
  s.declarators.push_back(std::move(argument));
}

void parse_layer(ExpressionParser& in, Statement& s) {
  const Token& token = in.take();
  if (token.kind != TokenKind::identifier) {
    in.fail(token,
            fmt::format("The activation of a layer was expected ({}), but {} was found{}.",
                        list_of(activation_names()), ExpressionParser::shown(token), network_form));
  }
  const Token& width = in.peek();
  if (width.kind != TokenKind::number && width.kind != TokenKind::identifier && !width.is("(")) {
    in.fail(width, fmt::format("The width of the layer was expected, as in {} 32, but {} was "
                               "found{}.",
                               token.text, ExpressionParser::shown(width), network_form));
  }
  s.layers.push_back({std::string(token.text), token.offset, in.primary()});
}

void parse_options(ExpressionParser& in, Statement& s) {
  while (in.peek().kind != TokenKind::newline) {
    const Token& word = in.take();
    if (word.is("seed") && !s.seed) {
      s.seed = in.primary();
    } else if (word.is("weights") && s.file.empty() && s.values.empty()) {
      if (in.accept("[")) {
        do {
          s.values.push_back(in.expression());
        } while (in.accept(","));
        in.expect("]", "the weights");
      } else {
        const Token& file = in.take();
        if (file.kind != TokenKind::string || file.text.empty()) {
          in.fail(file,
                  "The name of a file in double quotes was expected, as in weights "
                  "\"h.npy\", or a list of all weights.");
        }
        s.file = file.text;
      }
    } else if (word.is("fixed") && !s.fixed) {
      s.fixed = true;
    } else {
      const std::vector<std::string> words{"seed", "weights", "fixed"};
      in.fail(word, fmt::format("A comma and a layer, 'seed', 'weights' or 'fixed', each once, or "
                                "the end of the line was expected, but {} was found.{}",
                                ExpressionParser::shown(word), did_you_mean(word.text, words)));
    }
  }
}

}  // namespace

void parse_network(ExpressionParser& in, Statement& s) {
  const Token& token = in.take();
  s.target.name = token.text;
  s.target.offset = token.offset;
  in.expect("(", fmt::format("the network {}", in_quotes(token.text)));
  do {
    parse_argument(in, s);
  } while (in.accept(","));
  in.expect(")", "the arguments");
  s.head_end = in.position();
  in.expect("=", "the arguments");
  do {
    parse_layer(in, s);
  } while (in.accept(","));
  parse_options(in, s);
}

std::vector<std::string> names_of_weights(const std::vector<Token>& tokens, std::size_t name) {
  std::vector<std::string> names;
  const auto add = [&] {
    const std::size_t layer = names.size() / 2 + 1;
    names.push_back(fmt::format("{}.W{}", tokens[name].text, layer));
    names.push_back(fmt::format("{}.b{}", tokens[name].text, layer));
  };
  std::size_t depth = 0;
  bool behind = false;
  for (std::size_t i = name; tokens[i].kind != TokenKind::newline; ++i) {
    if (tokens[i].is("(") || tokens[i].is("[")) ++depth;
    if (tokens[i].is(")") || tokens[i].is("]")) --depth;
    if (depth > 0) continue;
    if (tokens[i].is("=") || (behind && tokens[i].is(","))) add();
    behind = behind || tokens[i].is("=");
  }
  return names;
}

Network declared_network(const Source& source, Expander& expander, const Symbols& symbols,
                         const Declarations& declarations, const Statement& s) {
  Network network;
  network.name = s.target.name;
  for (const Declarator& argument : s.declarators) {
    const auto known = symbols.find(argument.name);
    if (argument.size) {
      network.arguments.push_back(declared_length(source, expander, argument.name, *argument.size));
    } else if (known != symbols.end() && known->second.shape.size() < 2) {
      network.arguments.push_back(known->second.is_vector() ? known->second.shape.front() : 0);
    } else if (declarations.contains(argument.name)) {
      source.fail(argument.offset,
                  fmt::format("The length of the argument {0} is not known here; write it, as in "
                              "{1}({0}[3]), or another name for a number.",
                              argument.name, network.name));
    } else {
      network.arguments.push_back(0);
    }
  }
  for (const SyntaxLayer& layer : s.layers) {
    network.layers.push_back(
        {layer.activation, declared_length(source, expander, layer.activation, layer.width)});
    try {
      network.layers.back().check();
    } catch (const Error& error) {
      source.fail(layer.offset, error.what());
    }
  }
  if (s.seed) {
    const long long seed = expander.integer(*s.seed, "seed");
    if (seed < 0)
      source.fail(s.seed->offset, fmt::format("The seed is {}; it must not be negative.", seed));
    network.seed = static_cast<std::uint64_t>(seed);
  }
  network.file = s.file;
  network.fixed = s.fixed;
  return network;
}

std::vector<double> declared_weights(const Source& source, Expander& expander, const Statement& s,
                                     const Network& network) {
  std::vector<double> weights;
  for (const Syntax& value : s.values) weights.push_back(expander.number(value));
  if (!weights.empty() && weights.size() != network.weight_count()) {
    source.fail(s.values.front().offset,
                fmt::format("The list has {} weights, but a network of {} has {}.", weights.size(),
                            network.shape(), network.weight_count()));
  }
  return weights;
}

void add_network(Symbols& symbols, const Network& network, const std::vector<Expression>& weights) {
  Symbol symbol{SymbolKind::network, {}, false, weights};
  symbol.network = std::make_shared<const Network>(network);
  if (network.outputs() > 1) symbol.shape = {network.outputs()};
  auto at = weights.begin();
  const auto add = [&](const std::string& name, const Shape& shape) {
    const auto end = at + static_cast<std::ptrdiff_t>(size_of(shape));
    symbols[name] = {SymbolKind::parameter, shape, false, {at, end}};
    at = end;
  };
  std::size_t before = network.inputs();
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const std::size_t width = network.layers[l].width;
    add(fmt::format("{}.W{}", network.name, l + 1), {width, before});
    add(fmt::format("{}.b{}", network.name, l + 1), {width});
    before = width;
  }
  symbols[network.name] = std::move(symbol);
}

// A call is written out once for equal arguments, however often its components are asked for.
Array Expander::network(const Syntax& syntax) {
  const Symbol& symbol = defined(syntax);
  const Network& net = *symbol.network;
  if (syntax.operands.size() != net.arguments.size()) {
    source_.fail(
        syntax.offset,
        fmt::format("The network {} takes {} argument{}, not {}.", net.name, net.arguments.size(),
                    net.arguments.size() == 1 ? "" : "s", syntax.operands.size()));
  }
  std::vector<Expression> inputs;
  for (std::size_t i = 0; i < net.arguments.size(); ++i) {
    const Array argument = array(syntax.operands[i]);
    const Shape expected = net.arguments[i] == 0 ? Shape{} : Shape{net.arguments[i]};
    if (argument.shape != expected) {
      source_.fail(syntax.operands[i].offset,
                   fmt::format("Argument {} of the network {} is {}, but this is {}.", i + 1,
                               net.name, in_words(expected), in_words(argument.shape)));
    }
    inputs.insert(inputs.end(), argument.values.begin(), argument.values.end());
  }
  std::vector<NodeId> key(inputs.size());
  std::ranges::transform(inputs, key.begin(), &Expression::id);
  auto [place, is_new] = calls_.try_emplace({net.name, key});
  if (is_new) {
    graph_.spend(net.weight_count());
    place->second = net.apply(graph_, symbol.values, inputs);
  }
  return {net.outputs() == 1 ? Shape{} : Shape{net.outputs()}, place->second};
}

}  // namespace divker
