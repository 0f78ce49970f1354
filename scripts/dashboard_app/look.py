"""The style sheet of the dashboard: the report's, kept to what lies below `.gr`, and what the report lacks.

marimo's page has a style of its own; the report's rules for `table` or `.grid` must not reach it. marimo marks a dark
page with the class `dark`, so the report's dark colours hang on it instead of the system's preference.
"""

from __future__ import annotations

import re

from dashboard_app.markup import Markup, element, require_markup
from grpo_rust.report.style import STYLE

__all__ = ["SCOPE", "page", "scoped", "style_sheet", "style_text"]

SCOPE = ".gr"
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_MEDIA = re.compile(r"(@media[^{]+)\{((?:[^{}]+\{[^{}]*\})*)\}")
_RUNS = (  # the colours of the runs, on light and on dark
    *(("#1f5d8c", "#7db8e2"), ("#b8411a", "#ff9a73"), ("#1b7440", "#7ccf95")),
    *(("#7a3f98", "#c9a0e0"), ("#8a5a00", "#e0b050"), ("#5f5b52", "#b5b0a3")),
)
_OWN = """
.gr{color:var(--ink);font:15px/1.5 "Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif}
.gr svg{display:block;width:100%;height:auto;overflow:visible;max-width:none}
.gr svg.dumbbell{width:180px}
.gr ul,.gr ol{list-style:none;padding:0;margin:.4rem 0}
.gr .title{font-size:1.05rem;font-weight:600;margin:1.2rem 0 .5rem;padding-top:.5rem;
border-top:1px solid var(--hair)}
.gr .run-title{font-size:1.3rem}
.gr header{border-bottom:1px solid var(--hair);padding-bottom:.4rem}
.gr .run{margin:.1rem 0;max-width:none;overflow-wrap:anywhere}.gr .run b{color:var(--ink)}
.gr .alert{margin-left:.6rem}
.gr .evaluated{margin:.6rem 0}
.gr .evaluated th,.gr .evaluated td{text-align:right;padding:.25rem 1.2rem .25rem 0;border-bottom:1px solid var(--hair);
white-space:nowrap;font-weight:400}
.gr .evaluated thead th{font-size:.8rem;color:var(--soft)}.gr .evaluated tr>th:first-child{text-align:left}
.gr .wide .key{margin-top:.4rem}
.gr .trend b{font-weight:600;margin-left:.6em}
.gr .spread{stroke:none;opacity:.14}
.gr .of .mark{fill:var(--paper)}
.gr .swatch{border-radius:2px;vertical-align:baseline}
.gr .completion{border-top:3px solid var(--soft);padding-top:.5rem}
.gr .completion.pass{border-color:var(--good)}.gr .completion.fail{border-color:var(--bad)}
.gr .completion.half{border-color:var(--warn)}
.gr .completion>.outcome{font-size:1.1rem;justify-content:start;
align-items:baseline;gap:1.2rem;flex-wrap:wrap;max-width:none}
.gr .rewards{overflow-x:auto;margin:.6rem 0}
.gr .rewards table{font-size:.85rem}
.gr .rewards th,.gr .rewards td{text-align:right;padding:.15rem 1rem .15rem 0;font-weight:400;
border-bottom:1px solid var(--hair);white-space:nowrap;vertical-align:top}
.gr .rewards thead th{color:var(--soft);font-size:.8rem}
.gr .rewards tbody th,.gr .rewards .because,.gr .rewards thead th:first-child,.gr .rewards thead th:last-child{
text-align:left}
.gr .rewards .because{white-space:pre-wrap;overflow-wrap:anywhere;min-width:16rem;color:var(--soft)}
.gr .rewards .pass>td:nth-child(2){color:var(--good);font-weight:600}
.gr .rewards .fail>td:nth-child(2){color:var(--bad);font-weight:600}
.gr .rewards .half>td:nth-child(2){color:var(--warn);font-weight:600}
.gr .listing{background:var(--sunk);padding:.5rem 0;margin:.5rem 0;overflow:auto;max-height:44rem;
font:12px/17px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;tab-size:4}
.gr .row{display:flex;width:max-content;min-width:100%}
.gr .no{flex:none;width:3.2em;text-align:right;padding-right:.9em;color:var(--soft);user-select:none;position:sticky;
left:0;background:var(--sunk)}
.gr .src{white-space:pre;padding-right:1rem}
.gr .row.bad .src{background:var(--badbg)}.gr .row.warn .src{background:var(--warnbg)}
.gr .row.bad .no{color:var(--bad)}.gr .row.warn .no{color:var(--warn)}
.gr .note{color:var(--bad);background:var(--badbg);margin:1px 0 3px 3.2em;padding:.1rem .7em;white-space:pre-wrap;
overflow-wrap:anywhere;border-left:3px solid var(--bad);position:sticky;left:3.2em;max-width:60rem;
font:12px/17px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
.gr .note.warning{color:var(--warn);background:var(--warnbg);border-color:var(--warn)}
.gr .src i{font-style:normal}
.gr .hc{color:var(--soft);font-style:italic!important}.gr .hs{color:var(--h-text)}.gr .hn{color:var(--h-number)}
.gr .ht{color:var(--h-type)}.gr .hk{color:var(--h-word);font-weight:600}.gr .hm{color:var(--h-macro)}
.gr .hf{color:var(--h-name)}.gr .ha{color:var(--h-macro)}.gr .hl{color:var(--h-number)}
.gr .prompt,.gr .aside,.gr .output{margin:.4rem 0;max-width:none}
.gr .tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(21rem,100%),1fr));gap:.8rem}
.gr .tile{min-width:0;border:1px solid var(--soft);border-top-width:4px;border-radius:3px;padding:.4rem .6rem;
display:flex;flex-direction:column}
.gr .tile.pass{border-color:var(--good);background:var(--goodbg)}
.gr .tile.fail,.gr .tile.none{border-color:var(--bad);background:var(--badbg)}
.gr .tile.half{border-color:var(--warn);background:var(--warnbg)}
.gr .tile .listing{max-height:19rem;margin:.3rem 0;font-size:11px;line-height:15px;flex:1;background:var(--paper)}
.gr .tile .no{background:var(--paper);width:2.6em}
.gr .tile .why-not{font-size:.78rem;color:var(--bad);overflow-wrap:anywhere;min-height:1.2em;max-height:4.2em;
overflow:auto;margin:0}
.gr .tile.half .why-not{color:var(--warn)}
.gr .tile .id{margin:0}
.gr .strip{font-size:1rem}
@media (max-width:40rem){.gr{font-size:14px}.gr header{padding-right:2.6rem}.gr .rewards .because{min-width:11rem}
.gr .listing{max-height:30rem}}
"""
_LIGHT = "--h-text:#8a5a00;--h-number:#9a3b12;--h-type:#1b7440;--h-word:#1f5d8c;--h-macro:#6b4a8a;--h-name:#7d2a4d"
_DARK = "--h-text:#e0b050;--h-number:#ff9a73;--h-type:#7ccf95;--h-word:#7db8e2;--h-macro:#c9a0e0;--h-name:#f0a0c0"


def scoped(css: str, scope: str) -> str:
    """Rules that hold below one element only. `:root` becomes the element itself, and `body` has no rule.

    Args:
        css: Rules, and media queries around rules; no other at-rules and no comments.
        scope: The selector that is put before every other.

    >>> scoped("p,a{x:y}@media print{b{c:d}}", ".s")
    '.s p,.s a{x:y}@media print{.s b{c:d}}'
    """
    parts, reached = [], 0
    for media in _MEDIA.finditer(css):
        parts += [_rules(css[reached : media.start()], scope), f"{media[1]}{{{_rules(media[2], scope)}}}"]
        reached = media.end()
    return "".join([*parts, _rules(css[reached:], scope)])


def _rules(css: str, scope: str) -> str:
    """Rules with their selectors below the scope."""
    found = []
    for selectors, body in _RULE.findall(css):
        names = [name.strip() for name in selectors.split(",")]
        kept = [scope if name == ":root" else f"{scope} {name}" for name in names if name not in ("*", "body")]
        if kept:
            found.append(f"{','.join(kept)}{{{body}}}")
    return "".join(found)


def style_sheet() -> Markup:
    """The `<style>` element of the page."""
    dark = re.search(r"@media \(prefers-color-scheme:dark\)\{:root\{([^}]*)\}\}", STYLE)
    assert dark is not None, "the report's style sheet has no dark colours"
    light = STYLE.replace(dark[0], "")
    runs = "".join(
        f".gr .line.c{index},.gr .of.c{index} .mark,.gr .of.c{index} .whisker{{stroke:var(--r{index})}}"
        f".gr .spread.c{index},.gr .line.dot.c{index}{{fill:var(--r{index})}}"
        f".gr .r{index},.gr .t{index}{{color:var(--r{index})}}"
        for index in range(len(_RUNS))
    )
    stacks = "".join(
        f".gr .mistakes .p{index}{{fill:var(--o{(index * 5 + 6) % 12});color:var(--o{(index * 5 + 6) % 12})}}"
        for index in range(12)
    )
    colours = [";".join(f"--r{index}:{pair[side]}" for index, pair in enumerate(_RUNS)) for side in (0, 1)]
    night = dark[1].replace("color-scheme:light dark;", "")
    themes = f".gr{{{_LIGHT};{colours[0]}}}.dark .gr{{{night};{_DARK};{colours[1]}}}"
    return element("style", Markup(scoped(light, SCOPE) + _OWN + themes + runs + stacks))


def style_text() -> str:
    """The style sheet as marimo takes it: a plain string."""
    return require_markup(style_sheet())


def page(markup: Markup) -> str:
    """Markup as one element below the scope, for the browser. Raises: TypeError for a plain string."""
    return require_markup(element("div", Markup(require_markup(markup)), kind=SCOPE[1:]))
