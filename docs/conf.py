"""The site of the pages, made by tools/docs.py. The sources are those of the whole repository, so
that README.md and its links are what they are elsewhere."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from pygments.lexers.special import TextLexer

project = "divker"
author = "the authors of divker"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["README.md", "CONTRIBUTING.md", "data/README.md", "docs/*.md"]
exclude_patterns = ["build*", ".*", "reproduced", "demo-output"]

# A link or a reference that leads nowhere is a warning, and a warning ends the build.
nitpicky = True
myst_heading_anchors = 3
# Fences "sh no-run" and the like are a matter of the tests.
myst_enable_extensions = ["dollarmath"]
highlight_language = "none"

html_title = "divker"
html_theme = "alabaster"
html_theme_options = {
    "description": "Sensitivities of densities of stochastic differential equations",
    "fixed_sidebar": True,
    "page_width": "76rem",
    "body_max_width": "58rem",
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"


# The order of the pages; one that stands nowhere here is a warning, too.
PARTS = {
    "Start": ["../README", "theory", "which-method", "experiments", "tutorials"],
    "Reference": ["command", "language", "glossary", "robust", "python", "models"],
    "Questions": ["answer", "stationary", "baselines", "fit", "diagnose", "calibration",
                  "../data/README"],
    "Large runs": ["durable", "ranks"],
    "The engine": ["way", "damping", "step", "exact", "regressor", "model", "ensemble", "kernel", "io",
                   "robustness"],
    "Changes": ["extending", "../CONTRIBUTING"],
}


def add_contents(app, page, source):
    """The list at the side of the site; index.md itself is for readers of files."""
    if page == root_doc:
        for title, pages in PARTS.items():
            lines = ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```", ""]
            source[0] += "\n".join(lines)


def visit_inline(translator, node):
    """LaTeX as MathML, which browsers draw by themselves: no script and no network."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(translator, node):
    """Likewise, as a line of its own."""
    translator.body.append('<div class="math">' + tex2mathml(node.astext(), inline=False) + "</div>")
    raise nodes.SkipNode


def setup(app):
    app.connect("source-read", add_contents)
    app.add_lexer("sde", TextLexer)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
