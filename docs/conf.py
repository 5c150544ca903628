"""The site of the pages, made by tools/docs.py. The sources are those of the whole repository, so
that README.md and its links are what they are elsewhere."""

import html
import pathlib
import shutil

from docutils import nodes
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
html_theme = "furo"
# Blue and orange are told apart by all eyes.
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5a8c", "color-brand-content": "#1f5a8c"},
    "dark_css_variables": {"color-brand-primary": "#8fc1e8", "color-brand-content": "#8fc1e8"},
}
html_static_path = ["style"]
html_css_files = ["divker.css"]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "katex"
# KaTeX is part of the site, so that formulas need no network.
KATEX = pathlib.Path("/usr/share/javascript/katex")


# The order of the pages; one that stands nowhere here is a warning, too.
PARTS = {
    "Start": ["../README", "questions", "theory", "limits", "which-method", "experiments", "tutorials"],
    "Reference": ["performance", "command", "language", "glossary", "robust", "path_functionals", "networks",
                  "python", "models"],
    "Questions": ["answer", "density", "stationary", "response_functions", "baselines", "fit", "series", "structure", "forecast",
                  "prediction", "pictures", "diagnose", "calibration",
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
    """LaTeX as it stands, for KaTeX to draw when the page is opened."""
    translator.body.append(f'<span class="tex">{html.escape(node.astext())}</span>')
    raise nodes.SkipNode


def visit_block(translator, node):
    """Likewise, as a line of its own."""
    translator.body.append(f'<div class="tex">{html.escape(node.astext())}</div>')
    raise nodes.SkipNode


def load_katex(app, page, template, context, doctree):
    """Pages without a formula load nothing of it."""
    if doctree is not None and any(
            doctree.findall(lambda node: isinstance(node, (nodes.math, nodes.math_block)))):
        app.add_css_file("katex/katex.min.css")
        app.add_js_file("katex/katex.min.js")
        app.add_js_file("formulas.js")


def finish_files(app, error):
    """Copies KaTeX, and makes furo's script one file: Debian's imports a second one as a module,
    which browsers refuse for pages that are read from a disk."""
    if error is not None:
        return
    static = pathlib.Path(app.outdir) / "_static"
    shutil.copytree(KATEX, static / "katex", dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("contrib", "katex.css", "katex.js", "katex.mjs"))
    script = static / "scripts/furo.js"
    text = script.read_text(encoding="utf-8")
    first, rest = text.split("\n", 1)
    if first.startswith("import Gumshoe"):
        script.write_text((static / "scripts/gumshoe-patched.js").read_text(encoding="utf-8") + rest,
                          encoding="utf-8")


def setup(app):
    app.connect("source-read", add_contents)
    app.add_lexer("sde", TextLexer)
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", load_katex)
    app.connect("build-finished", finish_files)
