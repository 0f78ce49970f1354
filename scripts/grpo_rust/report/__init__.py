"""The report of a run: one HTML file with its metrics, its evaluations and a choice of its completions.

Promises: works on an unfinished run, shows what a model wrote as text and never as markup, needs no network and no
script, and gives the same bytes for the same run directory. It reads the files of a run directory; of the code that
wrote them it imports the table of metrics alone. Beside the page, `published` has the run in the shape of the published
experiment's log, and imports `rewards` for that.

    visible    hostile text made harmless        reading    the run directory's files
    scale      numbers made readable             charts     numbers to SVG
    pictures   which metrics to draw             table      before and after
    groups     which completions to show         cards      how a completion is shown
    page       the file                          style      its colours
    published  the log as it was published
    money      time and cost, beside the published run
    by_task    what is said of each task, where a run mixes several
"""

from __future__ import annotations

from grpo_rust.report.page import page_html, write_report
from grpo_rust.report.reading import ReportError, read_run
from grpo_rust.report.table import closing_table
from grpo_rust.report.visible import escape, visible

__all__ = ["ReportError", "closing_table", "escape", "page_html", "read_run", "visible", "write_report"]
