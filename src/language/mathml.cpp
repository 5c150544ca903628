// A model's equations in MathML, which browsers typeset themselves: what latex() writes, read
// again.
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include "divker/error.hpp"
#include "divker/language.hpp"

namespace divker {
namespace {

struct Command {
  std::string_view name;
  std::string_view written;  // as MathML
};

constexpr std::array commands = {
    Command{"alpha", "<mi>α</mi>"},
    Command{"beta", "<mi>β</mi>"},
    Command{"gamma", "<mi>γ</mi>"},
    Command{"delta", "<mi>δ</mi>"},
    Command{"epsilon", "<mi>ε</mi>"},
    Command{"zeta", "<mi>ζ</mi>"},
    Command{"eta", "<mi>η</mi>"},
    Command{"theta", "<mi>θ</mi>"},
    Command{"iota", "<mi>ι</mi>"},
    Command{"kappa", "<mi>κ</mi>"},
    Command{"lambda", "<mi>λ</mi>"},
    Command{"mu", "<mi>μ</mi>"},
    Command{"nu", "<mi>ν</mi>"},
    Command{"xi", "<mi>ξ</mi>"},
    Command{"pi", "<mi>π</mi>"},
    Command{"rho", "<mi>ρ</mi>"},
    Command{"sigma", "<mi>σ</mi>"},
    Command{"tau", "<mi>τ</mi>"},
    Command{"upsilon", "<mi>υ</mi>"},
    Command{"phi", "<mi>φ</mi>"},
    Command{"chi", "<mi>χ</mi>"},
    Command{"psi", "<mi>ψ</mi>"},
    Command{"omega", "<mi>ω</mi>"},
    Command{"Gamma", "<mi>Γ</mi>"},
    Command{"Delta", "<mi>Δ</mi>"},
    Command{"Theta", "<mi>Θ</mi>"},
    Command{"Lambda", "<mi>Λ</mi>"},
    Command{"Xi", "<mi>Ξ</mi>"},
    Command{"Pi", "<mi>Π</mi>"},
    Command{"Sigma", "<mi>Σ</mi>"},
    Command{"Upsilon", "<mi>Υ</mi>"},
    Command{"Phi", "<mi>Φ</mi>"},
    Command{"Psi", "<mi>Ψ</mi>"},
    Command{"Omega", "<mi>Ω</mi>"},
    Command{"cdot", "<mo>⋅</mo>"},
    Command{"circ", "<mo>∘</mo>"},
    Command{"sim", "<mo>∼</mo>"},
    Command{"le", "<mo>≤</mo>"},
    Command{"ge", "<mo>≥</mo>"},
    Command{"ne", "<mo>≠</mo>"},
    Command{"in", "<mo>∈</mo>"},
    Command{"infty", "<mi>∞</mi>"},
    Command{"sum", "<mo>∑</mo>"},
    Command{"int", "<mo>∫</mo>"},
    Command{"exp", "<mi>exp</mi>"},
    Command{"log", "<mi>log</mi>"},
    Command{"sin", "<mi>sin</mi>"},
    Command{"cos", "<mi>cos</mi>"},
    Command{"tan", "<mi>tan</mi>"},
    Command{"tanh", "<mi>tanh</mi>"},
    Command{"sinh", "<mi>sinh</mi>"},
    Command{"cosh", "<mi>cosh</mi>"},
    Command{"arctan", "<mi>arctan</mi>"},
    Command{"min", "<mi>min</mi>"},
    Command{"max", "<mi>max</mi>"},
    Command{"inf", "<mi>inf</mi>"},
    Command{"quad", R"(<mspace width="1em"/>)"},
    Command{"lfloor", "<mo>⌊</mo>"},
    Command{"rfloor", "<mo>⌋</mo>"},
    Command{",", R"(<mspace width="0.17em"/>)"},
    Command{";", R"(<mspace width="0.28em"/>)"},
    Command{"{", "<mo>{</mo>"},
    Command{"}", "<mo>}</mo>"},
    Command{"_", "<mi>_</mi>"},
};

// These carry what belongs to them below and above, in displayed formulas.
bool takes_limits(std::string_view command) {
  return command == "sum" || command == "min" || command == "max";
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += c;
  }
  return result;
}

// A reader of the LaTeX that latex() writes.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // Up to the end, to a }, to \right, \end, & or a new row.
  std::string formula() {
    std::string result;
    while (!ends()) result += with_scripts();
    return result;
  }

 private:
  [[nodiscard]] bool at(std::string_view word) const {
    return text_.substr(at_, word.size()) == word;
  }
  [[nodiscard]] bool ends() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ == text_.size() || at("}") || at("&") || at("\\\\") || at("\\right") || at("\\end{");
  }
  void expect(std::string_view word) {
    if (!at(word)) {
      throw Error(ErrorKind::usage,
                  fmt::format("LaTeX without '{}' at '{}'.", word, text_.substr(at_, 20)));
    }
    at_ += word.size();
  }

  std::string in_row(const std::string& inner) { return "<mrow>" + inner + "</mrow>"; }
  // {...}, or the one character or command that stands for it.
  std::string argument() {
    if (!at("{")) return atom();
    expect("{");
    std::string inner = formula();
    expect("}");
    return in_row(inner);
  }
  // The characters of {...}.
  std::string words() {
    expect("{");
    std::string result;
    for (int depth = 0; at_ < text_.size() && (depth > 0 || text_[at_] != '}'); ++at_) {
      depth += text_[at_] == '{' ? 1 : text_[at_] == '}' ? -1 : 0;
      result += text_[at_];
    }
    expect("}");
    return result;
  }

  std::string with_scripts() {
    const bool is_command = at("\\");
    const std::string_view name = is_command ? name_at(at_ + 1) : std::string_view();
    std::string base = atom();
    std::string below;
    std::string above;
    for (; at("_") || at("^") || at("'");) {
      if (at("'")) {
        ++at_;
        above += "<mo>′</mo>";
        continue;
      }
      std::string& place = at("_") ? below : above;
      ++at_;
      place += argument();
    }
    if (below.empty() && above.empty()) return base;
    const std::string kind = takes_limits(name) ? "under over" : "sub sup";
    const std::string tag = "m" + (below.empty()        ? kind.substr(kind.find(' ') + 1)
                                   : above.empty()      ? kind.substr(0, kind.find(' '))
                                   : takes_limits(name) ? "underover"
                                                        : "subsup");
    const std::string scripts =
        (below.empty() ? "" : in_row(below)) + (above.empty() ? "" : in_row(above));
    return fmt::format("<{0}>{1}{2}</{0}>", tag, base, scripts);
  }

  [[nodiscard]] std::string_view name_at(std::size_t place) const {
    std::size_t end = place;
    while (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end])) != 0) ++end;
    return text_.substr(place, end == place ? 1 : end - place);
  }

  std::string atom() {
    if (at("{")) return argument();
    if (at("\\")) return command();
    const char c = text_[at_];
    const auto is_digit = [this](std::size_t place) {
      return place < text_.size() &&
             (std::isdigit(static_cast<unsigned char>(text_[place])) != 0 || text_[place] == '.');
    };
    if (is_digit(at_)) {
      const std::size_t start = at_;
      while (is_digit(at_)) ++at_;
      return fmt::format("<mn>{}</mn>", text_.substr(start, at_ - start));
    }
    ++at_;
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) return fmt::format("<mi>{}</mi>", c);
    return fmt::format("<mo>{}</mo>", c == '-' ? "−" : escaped({&c, 1}));
  }

  std::string command() {
    ++at_;
    const std::string_view name = name_at(at_);
    at_ += name.size();
    if (name == "frac") {
      const std::string above = argument();
      return "<mfrac>" + above + argument() + "</mfrac>";
    }
    if (name == "sqrt") return "<msqrt>" + argument() + "</msqrt>";
    if (name == "mathrm" || name == "operatorname") {
      return fmt::format(R"(<mi mathvariant="normal">{}</mi>)", escaped(plain(words())));
    }
    if (name == "mathcal") return fmt::format("<mi>{}</mi>", words() == "N" ? "𝒩" : "?");
    if (name == "text") return fmt::format("<mtext>{}</mtext>", escaped(plain(words())));
    if (name == "left") return fenced();
    if (name == "begin") return table();
    for (const Command& known : commands) {
      if (known.name == name) return std::string(known.written);
    }
    throw Error(ErrorKind::usage,
                fmt::format("There is no \\{} in the equations of models.", name));
  }

  // Words within words: "samples of \texttt{x.npy}", "a\_b".
  static std::string plain(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 8, "\\texttt{") == 0) {
        i += 7;
      } else if (text[i] != '\\' && text[i] != '}') {
        result += text[i];
      }
    }
    return result;
  }

  std::string fenced() {
    const std::string open = atom();
    const std::string inner = formula();
    expect("\\right");
    return in_row(open + inner + atom());
  }

  std::string table() {
    const std::string kind = words();
    std::string rows;
    std::string cells;
    const auto end_of_cell = [&](const std::string& cell) { cells += "<mtd>" + cell + "</mtd>"; };
    for (;;) {
      end_of_cell(formula());
      if (at("&")) {
        ++at_;
        continue;
      }
      rows += "<mtr>" + cells + "</mtr>";
      cells.clear();
      if (!at("\\\\")) break;
      at_ += 2;
    }
    expect("\\end{" + kind + "}");
    const std::string name = kind == "aligned" ? R"( class="aligned" displaystyle="true")" : "";
    std::string all = "<mtable" + name + ">" + rows + "</mtable>";
    if (kind == "cases") return in_row(R"(<mo stretchy="true">{</mo>)" + all);
    if (kind == "pmatrix") return in_row("<mo>(</mo>" + all + "<mo>)</mo>");
    return all;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string mathml(const Model& model) {
  const std::string text = latex(model);
  return R"(<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">)" +
         Reader(text).formula() + "</math>";
}

}  // namespace divker
